import type { RecordingStream } from '../../../bus/messages.ts';
import type { FragmentIndex } from '../fragments/fragment-index.ts';
import type { MovieHeader, MovieTrack } from '../mp4/movie-header.ts';

/** What the catalogue says of a recording, read from its file; an index is a hundred times as large. */
export interface RecordingContent {
  /** When its first frame was taken, Unix time in microseconds; recordings of older versions do not say it. */
  readonly startUs: number | undefined;
  readonly lengthUs: number;
  readonly streams: readonly RecordingStream[];
}

export const contentOf = (index: FragmentIndex): RecordingContent => ({
  startUs: index.fragments[0]?.timeUs,
  lengthUs: lengthUs(index),
  streams: streamsIn(index.movie),
});

function lengthUs({ movie, fragments }: FragmentIndex): number {
  const [first, last] = [fragments[0], fragments.at(-1)];
  if (!first || !last) return 0;
  const ticks = last.decodeTime + last.duration - first.decodeTime;
  return Math.max(0, Math.round((ticks * 1e6) / movie.video.ticksPerSecond));
}

/** The sample entries of ISO/IEC 14496-15 and 14496-14. */
const codecs: Readonly<Record<string, string>> = {
  ...{ avc1: 'h264', avc3: 'h264', hvc1: 'h265', hev1: 'h265', mp4a: 'aac' },
};

export function streamsIn({ video, audio }: MovieHeader): RecordingStream[] {
  const [width, height] = [video.width, video.height].map((fixed) => Math.floor(fixed / 65_536));
  const picture = { codec: codecOf(video), ...(width && height && { width, height }) };
  return audio ? [picture, { codec: codecOf(audio) }] : [picture];
}

/** In `stsd`, the type of the first entry follows the box's header, its version, the count and the entry's size. */
function codecOf({ descriptions }: MovieTrack): string {
  const type = descriptions.toString('latin1', 20, 24);
  return codecs[type] ?? (type || 'unknown');
}
