import { box, fullBox, u32 } from '../../bus/base/box-writer.ts';
import { type FragmentTime, fragmentTimeBox } from '../../bus/fragment-time.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import { audioTrackID, videoTrackID } from './init-segment.ts';
import type { MediaFragment, Sample } from './media-fragment.ts';

/** ISO/IEC 14496-12, section 8.8.3.1: depends on others and is no sync sample, or depends on none. */
const dependent = 0x0101_0000;
const independent = 0x0200_0000;
const defaultBaseIsMoof = 0x02_0000;
const defaultFlagsPresent = 0x20;
/** Section 8.8.8: the data's offset, and of each sample its duration, size, flags and composition offset. */
const offsetDurationSize = 0x301;
const flagsAndComposition = 0xc00;

interface Run {
  readonly trackID: number;
  readonly ticksPerSecond: number;
  readonly samples: readonly Sample[];
}

/**
 * A fragment as it is in a file or on the wire: `moof` and `mdat`.
 *
 * @param sequence counts the fragments of a file from 1
 * @param origin the decode time of the file's first picture, which is 0 in it; in ticks of `videoTicksPerSecond`
 * @param taken when its first picture was taken, if the fragment is to say so
 * @returns the headers, and the samples as they are in memory
 */
export function movieFragment(
  fragment: Pick<MediaFragment, 'layout' | 'video' | 'audio'>,
  sequence: number,
  origin: number,
  taken?: FragmentTime,
): Buffer[] {
  const { video, audio, layout } = fragment;
  const rate = layout.audio?.sampleRate ?? 1;
  const audioOrigin = Math.round((origin * rate) / videoTicksPerSecond);
  const runs: Run[] = [
    { trackID: videoTrackID, ticksPerSecond: videoTicksPerSecond, samples: shifted(video, origin) },
    { trackID: audioTrackID, ticksPerSecond: rate, samples: shifted(audio, audioOrigin) },
  ].filter(({ samples }) => samples.length > 0);
  const time = taken ? [fragmentTimeBox(taken)] : [];
  const withOffsets = (base: number) => {
    let offset = base;
    const tracks = runs.map((run) => {
      const traf = trackFragment(run, offset);
      offset += bytesOf(run.samples);
      return traf;
    });
    return box('moof', fullBox('mfhd', 0, 0, u32(sequence)), ...tracks, ...time);
  };
  // The data's offset counts from the beginning of `moof`, whose size does not depend on it.
  const moof = withOffsets(withOffsets(0).length + 8);
  const size = runs.reduce((sum, { samples }) => sum + bytesOf(samples), 8);
  return [
    Buffer.concat([moof, u32(size), Buffer.from('mdat', 'latin1')]),
    ...runs.flatMap(({ samples }) => samples.map(({ data }) => data)),
  ];
}

/** Samples before the file's beginning are left out: MP4 cannot express a negative decode time. */
function shifted(samples: readonly Sample[], origin: number): Sample[] {
  return samples
    .filter(({ decodeTime }) => decodeTime >= origin)
    .map((sample) => ({ ...sample, decodeTime: sample.decodeTime - origin }));
}

function trackFragment({ trackID, samples }: Run, dataOffset: number): Buffer {
  const isVideo = trackID === videoTrackID;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(samples[0]?.decodeTime ?? 0));
  const fields = Buffer.alloc(samples.length * (isVideo ? 16 : 8));
  let at = 0;
  for (const { duration, data, keyFrame, compositionOffset } of samples) {
    at = fields.writeUInt32BE(duration, at);
    at = fields.writeUInt32BE(data.length, at);
    if (!isVideo) continue;
    at = fields.writeUInt32BE(keyFrame ? independent : dependent, at);
    at = fields.writeInt32BE(compositionOffset, at);
  }
  const flags = isVideo ? offsetDurationSize | flagsAndComposition : offsetDurationSize;
  return box(
    'traf',
    fullBox(
      'tfhd',
      0,
      defaultBaseIsMoof | defaultFlagsPresent,
      u32(trackID, isVideo ? dependent : independent),
    ),
    fullBox('tfdt', 1, 0, time),
    // Version 1: composition offsets may be negative.
    fullBox('trun', 1, flags, u32(samples.length, dataOffset), fields),
  );
}

function bytesOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { data }) => sum + data.length, 0);
}
