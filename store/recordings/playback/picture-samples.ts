import type { FragmentIndex } from '../fragments/fragment-index.ts';
import { boxesIn } from '../mp4/box-reader.ts';
import { readFragmentHeader } from '../mp4/fragment-header.ts';

/** What has to be decoded for one frame of a recording. Times in nanoseconds from the recording's first decode time. */
export interface PictureSamples {
  readonly codec: 'h264' | 'h265';
  /** Content of the box `avcC` or `hvcC`, in hexadecimal digits. */
  readonly record: string;
  readonly samples: readonly { readonly offset: number; readonly bytes: number; readonly timeNs: number }[];
  readonly shownNs: number;
}

/** Frames that may be sent before one that is shown earlier (level limits of H.264 and H.265), and one that shows it. */
const reordered = 17;
/** A picture further from its key frame takes too long: the key frame is shown instead. */
const maxDecoded = 300;
/** ISO/IEC 14496-12, section 12.1.3: the fields of a video sample entry before its boxes. */
const sampleEntryBytes = 78;
const codecs = { avcC: 'h264', hvcC: 'h265' } as const;

/** @param afterUs microseconds after the recording's first frame @returns undefined if there is no frame to decode. */
export function pictureSamples(index: FragmentIndex, afterUs: number): PictureSamples | undefined {
  const { movie, fragments } = index;
  const config = decoderConfig(movie.video.descriptions);
  const rate = movie.video.ticksPerSecond;
  const [first] = fragments;
  if (!config || !first) return undefined;
  const read = (at: number) => {
    const fragment = fragments[at];
    const run = fragment && readFragmentHeader(fragment.header, movie)?.video;
    if (!fragment || !run) return [];
    let [time, offset] = [run.decodeTime, fragment.offset + run.dataOffset];
    return run.sizes.map((bytes, n) => {
      const sample = { offset, bytes, shown: time + (run.compositionOffsets[n] ?? 0) };
      offset += bytes;
      time += run.durations[n] ?? 0;
      return sample;
    });
  };
  const wanted = (read(0)[0]?.shown ?? 0) + (afterUs * rate) / 1e6;
  const last = Math.max(
    0,
    fragments.findLastIndex(({ decodeTime }) => decodeTime <= wanted),
  );
  const begin = Math.max(
    0,
    fragments.findLastIndex(({ keyFrame }, at) => keyFrame && at <= last),
  );
  const samples = Array.from({ length: fragments.length - begin > 0 ? last - begin + 1 : 0 }, (_, n) =>
    read(begin + n),
  ).flat();
  const needed = samples.findLastIndex(({ shown }) => shown <= wanted) + 1;
  const isFar = needed > maxDecoded;
  const shown =
    isFar || needed === 0
      ? samples[0]?.shown
      : Math.max(...samples.slice(0, needed).map((one) => (one.shown <= wanted ? one.shown : -1)));
  if (shown === undefined) return undefined;
  const end = (isFar ? 1 : needed) + reordered;
  for (let next = last + 1; samples.length < end && next < fragments.length; next += 1)
    samples.push(...read(next));
  const toNs = (ticks: number) => Math.round((ticks * 1e9) / rate);
  return {
    ...config,
    samples: samples
      .slice(0, end)
      .map(({ offset, bytes, shown: time }) => ({ offset, bytes, timeNs: toNs(time) })),
    shownNs: toNs(shown),
  };
}

function decoderConfig(descriptions: Buffer): Pick<PictureSamples, 'codec' | 'record'> | undefined {
  const [stsd] = boxesIn(descriptions);
  const entry = stsd && boxesIn(descriptions, stsd.content + 8, stsd.end)[0];
  if (!entry) return undefined;
  for (const { type, content, end } of boxesIn(descriptions, entry.content + sampleEntryBytes, entry.end)) {
    if (type === 'avcC' || type === 'hvcC')
      return { codec: codecs[type], record: descriptions.subarray(content, end).toString('hex') };
  }
  return undefined;
}
