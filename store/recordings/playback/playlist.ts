import type { IndexedFragment } from '../fragments/fragment-index.ts';
import { readFragmentHeader } from '../mp4/fragment-header.ts';
import { type Footage, type FootagePart, microseconds, timeOfFragment } from './footage.ts';

/** A segment begins with a key frame and lasts at least as long. */
const minSegmentUs = 4_000_000;
/** Of key frames that follow each other faster, some are left out. */
const minKeyFrameUs = 500_000;
/** Where a segment's time differs by more from that of the ones before, its own is given. */
const maxDifferenceUs = 20_000;

interface Segment {
  /** Unix time in microseconds. */
  readonly timeUs: number;
  lengthUs: number;
  readonly offset: number;
  bytes: number;
}

/**
 * An HLS playlist (RFC 8216) whose segments are byte ranges of the recordings' files. It begins with the key frame before
 * the start of the span. Where another file begins, with or without a gap, is a discontinuity with its time.
 *
 * @param addressOf the address of a recording's file
 * @param frames all, or the key frames alone: each with what describes it, and the time to the next (section 4.3.3.6)
 * @returns undefined if nothing was recorded in the span.
 */
export function hlsPlaylist(
  footage: Footage,
  addressOf: (id: string) => string,
  frames: 'all' | 'key' = 'all',
): string | undefined {
  const lines: string[] = [];
  let maxSeconds = 0;
  let expectedUs = 0;
  for (const part of footage.parts) {
    const segments = segmentsOf(part, footage, frames);
    const address = addressOf(part.id);
    for (const [index, { timeUs, lengthUs, offset, bytes }] of segments.entries()) {
      if (index === 0) {
        if (lines.length > 0) lines.push('#EXT-X-DISCONTINUITY');
        lines.push(`#EXT-X-MAP:URI="${address}",BYTERANGE="${part.index.init.length}@0"`);
      }
      if (index === 0 || Math.abs(timeUs - expectedUs) > maxDifferenceUs) {
        lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(timeUs / 1000).toISOString()}`);
        expectedUs = timeUs;
      }
      expectedUs += lengthUs;
      lines.push(`#EXTINF:${(lengthUs / 1e6).toFixed(6)},`, `#EXT-X-BYTERANGE:${bytes}@${offset}`, address);
      maxSeconds = Math.max(maxSeconds, lengthUs / 1e6);
    }
  }
  if (lines.length === 0) return undefined;
  return [
    ...['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${Math.ceil(maxSeconds)}`],
    ...['#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-INDEPENDENT-SEGMENTS'],
    ...(frames === 'key' ? ['#EXT-X-I-FRAMES-ONLY'] : []),
    ...lines,
    '#EXT-X-ENDLIST\n',
  ].join('\n');
}

function segmentsOf(part: FootagePart, { startUs, endUs }: Footage, frames: 'all' | 'key'): Segment[] {
  const segments: Segment[] = [];
  for (const group of keyFrameGroups(part.index.fragments)) {
    const [first] = group;
    if (!first) continue;
    const timeUs = timeOfFragment(part, first);
    const ticks = group.reduce((sum, { duration }) => sum + duration, 0);
    const lengthUs = microseconds(ticks, part.index.movie.video.ticksPerSecond);
    if (timeUs >= endUs) break;
    if (timeUs + lengthUs <= startUs) continue;
    const last = segments.at(-1);
    if (frames === 'key') {
      if (last && last.lengthUs < minKeyFrameUs) last.lengthUs += lengthUs;
      else segments.push({ timeUs, lengthUs, offset: first.offset, bytes: keyFrameBytes(part, first) });
      continue;
    }
    const bytes = group.reduce((sum, fragment) => sum + fragment.bytes, 0);
    const joins = last && last.lengthUs < minSegmentUs && last.offset + last.bytes === first.offset;
    if (joins) {
      last.lengthUs += lengthUs;
      last.bytes += bytes;
    } else segments.push({ timeUs, lengthUs, offset: first.offset, bytes });
  }
  return segments;
}

/** From the beginning of a fragment to the end of its first frame. */
function keyFrameBytes({ index }: FootagePart, { header, bytes }: IndexedFragment): number {
  const run = readFragmentHeader(header, index.movie)?.video;
  return run ? Math.min(bytes, run.dataOffset + (run.sizes[0] ?? 0)) : bytes;
}

/** The fragments from one key frame to the next. */
function keyFrameGroups(fragments: readonly IndexedFragment[]): IndexedFragment[][] {
  const groups: IndexedFragment[][] = [];
  for (const fragment of fragments) {
    const last = groups.at(-1);
    if (fragment.keyFrame || !last) groups.push([fragment]);
    else last.push(fragment);
  }
  return groups;
}
