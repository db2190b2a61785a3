import { boxesIn, type Mp4Box } from './box-reader.ts';
import type { MovieHeader, MovieTrack } from './movie-header.ts';

/** The samples of one track in a fragment, which are one after another in the file. Times in the track's ticks. */
export interface SampleRun {
  /** Decode time of the first one. */
  readonly decodeTime: number;
  /** Where the first one begins, in bytes from the beginning of `moof`. */
  readonly dataOffset: number;
  readonly sizes: readonly number[];
  readonly durations: readonly number[];
  /** When each is shown minus when it is decoded. */
  readonly compositionOffsets: readonly number[];
  /** Whether decoding can begin at it. */
  readonly keyFrames: readonly boolean[];
}

export interface FragmentSamples {
  readonly video: SampleRun | undefined;
  readonly audio: SampleRun | undefined;
}

/** ISO/IEC 14496-12, section 8.8.7. */
const trackFlags = { base: 0x1, description: 0x2, duration: 0x8, size: 0x10, flags: 0x20 };
/** Section 8.8.8. */
const runFlags = {
  offset: 0x1,
  firstFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  composition: 0x800,
};
/** Section 8.8.3.1. */
const isNoSyncSample = 0x1_0000;

/**
 * Reads the samples that a `moof` describes.
 *
 * @throws {RangeError} if a box is too short. @returns undefined for a form that recordings do not have.
 */
export function readFragmentHeader(moof: Buffer, movie: MovieHeader): FragmentSamples | undefined {
  const [outer] = boxesIn(moof);
  if (!outer) return undefined;
  const runs: { video?: SampleRun; audio?: SampleRun } = {};
  for (const traf of boxesIn(moof, outer.content, outer.end)) {
    if (traf.type !== 'traf') continue;
    const boxes = boxesIn(moof, traf.content, traf.end);
    const header = boxes.find(({ type }) => type === 'tfhd');
    if (!header) continue;
    const id = moof.readUInt32BE(header.content + 4);
    const kind = id === movie.video.id ? 'video' : 'audio';
    const track = movie[kind];
    if (track?.id !== id) continue;
    const run = readRun(moof, boxes, header, track);
    if (!run || runs[kind]) return undefined;
    runs[kind] = run;
  }
  return { video: runs.video, audio: runs.audio };
}

/** @param boxes those of a `traf` */
function readRun(
  moof: Buffer,
  boxes: readonly Mp4Box[],
  header: Mp4Box,
  track: MovieTrack,
): SampleRun | undefined {
  const time = boxes.find(({ type }) => type === 'tfdt');
  const [run, ...more] = boxes.filter(({ type }) => type === 'trun');
  const present = moof.readUInt32BE(header.content) & 0xff_ffff;
  if (!time || !run || more.length > 0 || present & trackFlags.base) return undefined;
  let at = header.content + 8 + (present & trackFlags.description ? 4 : 0);
  const next = () => {
    at += 4;
    return moof.readUInt32BE(at - 4);
  };
  const duration = present & trackFlags.duration ? next() : track.defaults.duration;
  const size = present & trackFlags.size ? next() : track.defaults.size;
  const flags = present & trackFlags.flags ? next() : track.defaults.flags;

  const decodeTime =
    moof[time.content] === 1
      ? Number(moof.readBigUInt64BE(time.content + 4))
      : moof.readUInt32BE(time.content + 4);
  const has = moof.readUInt32BE(run.content) & 0xff_ffff;
  at = run.content + 4;
  const count = next();
  const dataOffset = has & runFlags.offset ? next() : 0;
  const firstFlags = has & runFlags.firstFlags ? next() : undefined;
  const fields = [runFlags.duration, runFlags.size, runFlags.flags, runFlags.composition];
  const sampleBytes = fields.filter((field) => has & field).length * 4;
  // Before arrays of a damaged count are made.
  if (dataOffset <= 0 || at + count * sampleBytes > run.end) return undefined;
  // Where each field of the first sample is.
  const [durationAt, sizeAt, flagsAt, compositionAt] = fields.map((field) => {
    if (!(has & field)) return -1;
    at += 4;
    return at - 4;
  }) as [number, number, number, number];
  const sizes = new Array<number>(count);
  const durations = new Array<number>(count);
  const compositionOffsets = new Array<number>(count);
  const keyFrames = new Array<boolean>(count);
  for (let index = 0, shift = 0; index < count; index += 1, shift += sampleBytes) {
    durations[index] = durationAt < 0 ? duration : moof.readUInt32BE(durationAt + shift);
    sizes[index] = sizeAt < 0 ? size : moof.readUInt32BE(sizeAt + shift);
    const first = index === 0 ? (firstFlags ?? flags) : flags;
    keyFrames[index] = ((flagsAt < 0 ? first : moof.readUInt32BE(flagsAt + shift)) & isNoSyncSample) === 0;
    // Unsigned in version 0, where no writer makes one of 2^31 ticks.
    compositionOffsets[index] = compositionAt < 0 ? 0 : moof.readInt32BE(compositionAt + shift);
  }
  return { decodeTime, dataOffset, sizes, durations, compositionOffsets, keyFrames };
}
