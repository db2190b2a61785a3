import { box, fullBox, u16, u32 } from '../../../bus/base/box-writer.ts';
import type { MovieTrack } from '../mp4/movie-header.ts';
import type { ClipMedia } from './clip-media.ts';
import type { ClipTrack } from './clip-track.ts';
import { RunLengths } from './run-lengths.ts';

/** The beginning of a clip: `ftyp`, `moov` with tables of all samples and edit lists, and the header of `mdat`. */

const largeSizeBytes = 16;
const matrix = u32(0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000);
/** "und", three letters of five bits. */
const undetermined = 0x55c4;
const enabledAndInMovie = 3;
const normalSpeed = 0x0001_0000;
/** A time of -1 in an edit list: nothing is presented. */
const nothing = 0xffff_ffff;

/** Tracks as the recordings describe them. */
export interface ClipSource {
  readonly video: MovieTrack;
  readonly audio: MovieTrack | undefined;
}

export function clipHeader(media: ClipMedia, source: ClipSource): Buffer {
  const { video, audio, shownFrom, shownTicks } = media;
  const kind = Buffer.from('isom', 'latin1');
  const ftyp = box('ftyp', kind, u32(0x200), Buffer.from('isomiso6mp41', 'latin1'));
  const tracks = [
    trackBoxes(1, 'vide', video, source.video, u32(shownTicks, shownFrom, normalSpeed), shownTicks),
    ...(audio && source.audio
      ? [trackBoxes(2, 'soun', audio, source.audio, audioEdits(media, audio), shownTicks)]
      : []),
  ];
  const header = u32(0, 0, video.ticksPerSecond, shownTicks, normalSpeed);
  const movieHeader = fullBox(
    'mvhd',
    0,
    0,
    header,
    u16(0x0100, 0),
    u32(0, 0),
    matrix,
    Buffer.alloc(24),
    u32(3),
  );
  const moovOf = (base: number) => box('moov', movieHeader, ...tracks.map((track) => track(base)));
  // The size of the tables does not depend on where the media begin.
  const before = ftyp.length + moovOf(0).length + largeSizeBytes;
  const mdat = Buffer.alloc(largeSizeBytes);
  mdat.writeUInt32BE(1, 0);
  mdat.write('mdat', 4, 'latin1');
  mdat.writeBigUInt64BE(BigInt(media.bytes + largeSizeBytes), 8);
  return Buffer.concat([ftyp, moovOf(before), mdat]);
}

/** Audio begins where the picture does, or later if there is none before. [ISO/IEC 14496-12, section 8.6.6] */
function audioEdits({ shownFrom, shownTicks, video }: ClipMedia, audio: ClipTrack): Buffer {
  const { first } = audio;
  const from = Math.round((shownFrom * audio.ticksPerSecond) / video.ticksPerSecond);
  if (first <= from) return u32(shownTicks, from - first, normalSpeed);
  const lag = Math.min(
    shownTicks,
    Math.round(((first - from) * video.ticksPerSecond) / audio.ticksPerSecond),
  );
  return Buffer.concat([u32(lag, nothing, normalSpeed), u32(shownTicks - lag, 0, normalSpeed)]);
}

/** @returns a function that makes the box `trak`, given where in the file the media begin. */
function trackBoxes(
  id: number,
  handler: 'vide' | 'soun',
  track: ClipTrack,
  { width, height, descriptions }: MovieTrack,
  edits: Buffer,
  shownTicks: number,
): (base: number) => Buffer {
  const volume = handler === 'soun' ? 0x0100 : 0;
  const header = fullBox(
    ...(['tkhd', 0, enabledAndInMovie, u32(0, 0, id, 0, shownTicks, 0, 0)] as const),
    ...[u16(0, 0, volume, 0), matrix, u32(width, height)],
  );
  const length = track.end - track.first;
  const mediaHeader = fullBox('mdhd', 0, 0, u32(0, 0, track.ticksPerSecond, length), u16(undetermined, 0));
  const handlerBox = fullBox('hdlr', 0, 0, u32(0), Buffer.from(handler, 'latin1'), Buffer.alloc(12 + 1));
  const kindHeader =
    handler === 'vide' ? fullBox('vmhd', 0, 1, Buffer.alloc(8)) : fullBox('smhd', 0, 0, Buffer.alloc(4));
  const inThisFile = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const tables = sampleTables(track, handler);
  return (base) =>
    box(
      'trak',
      header,
      box('edts', fullBox('elst', 0, 0, u32(edits.length / 12), edits)),
      box(
        'mdia',
        mediaHeader,
        handlerBox,
        box('minf', kindHeader, inThisFile, box('stbl', descriptions, ...tables, chunkOffsets(track, base))),
      ),
    );
}

/** All tables but the one that depends on the place of the media. */
function sampleTables(track: ClipTrack, handler: 'vide' | 'soun'): Buffer[] {
  const { steps, last, end, offsets, samples, sizes, keyFrames, chunks } = track;
  const chunkRuns: number[] = [];
  for (const [index, { samples: count }] of chunks.entries())
    if (count !== chunks[index - 1]?.samples) chunkRuns.push(index + 1, count, 1);
  const chunkTable = fullBox('stsc', 0, 0, u32(chunkRuns.length / 3), integers(chunkRuns));
  const sizeTable = fullBox('stsz', 0, 0, u32(0, samples), sizes);
  const durations = new RunLengths(steps);
  durations.add(end - last);
  const timeTable = runTable('stts', 0, durations.runs);
  if (handler === 'soun') return [timeTable, chunkTable, sizeTable];
  // Version 0, which every player reads, has no negative offsets.
  const compositionTable = offsets.isZero ? [] : [runTable('ctts', offsets.isSigned ? 1 : 0, offsets.runs)];
  const keyTable = fullBox('stss', 0, 0, u32(keyFrames.length), integers(keyFrames));
  return [timeTable, ...compositionTable, keyTable, chunkTable, sizeTable];
}

/** @param runs counts and values, one after the other. */
function runTable(type: string, version: number, runs: readonly number[]): Buffer {
  return fullBox(type, version, 0, u32(runs.length / 2), integers(runs));
}

function chunkOffsets({ chunks }: ClipTrack, base: number): Buffer {
  const data = Buffer.allocUnsafe(chunks.length * 8);
  for (const [index, { offset }] of chunks.entries()) data.writeBigUInt64BE(BigInt(base + offset), index * 8);
  return fullBox('co64', 0, 0, u32(chunks.length), data);
}

/** As `u32`, for any number of values, negative ones included. */
function integers(values: readonly number[]): Buffer {
  const data = Buffer.allocUnsafe(values.length * 4);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let index = 0; index < values.length; index += 1) view.setInt32(index * 4, values[index] ?? 0);
  return data;
}
