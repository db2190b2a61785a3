import type { FrameFormat } from '../../bus/messages.ts';

/** A pipeline for GStreamer to build. */
export interface PipelineDescription {
  /** In gst-launch's language. It is made of constants and numbers alone: no user's text becomes a part of it. */
  readonly launch: string;
  /** Text that is set on the finished elements, by element and property. */
  readonly properties: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Motion shows in small pictures; small objects do not. */
const layouts: Readonly<Record<FrameFormat, { readonly name: string; readonly width: number }>> = {
  gray: { name: 'GRAY8', width: 320 },
  rgb: { name: 'RGB', width: 640 },
};

/** Pictures a second by format, 0 for every one. */
export type FrameRates = readonly (readonly [FrameFormat, number])[];

/**
 * gdppay puts the time of a buffer before it. The caps are taken off: the addon would make them, and the whole header in
 * them, anew for every buffer. Nothing may come for long, and the pipeline must not wait for it.
 */
const sink = (name: string) =>
  `gdppay ! capssetter replace=true caps=application/x-bytes ! appsink name=${name} sync=false async=false wait-on-eos=false max-buffers=256`;

/** Whole pictures, with their parameter sets. */
const units = (codec: 'h264' | 'h265') =>
  `${codec}parse config-interval=-1 ! video/x-${codec},stream-format=byte-stream,alignment=au ! ${sink(codec)}`;

/** The sources that GStreamer plays itself: a file, or its test picture. */
export type LocalSource = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'test' };

/** Encoded video in sinks that are named after its codec. Of several, one delivers. */
export function describeSource(
  source: LocalSource,
): PipelineDescription & { readonly sinks: readonly ('h264' | 'h265')[] } {
  if (source.kind === 'file') {
    const branch = (codec: 'h264' | 'h265') => `parser. ! video/x-${codec} ! clocksync ! ${units(codec)}`;
    return {
      launch: `filesrc name=source ! parsebin name=parser ${branch('h264')} ${branch('h265')}`,
      properties: { source: { location: source.path } },
      sinks: ['h264', 'h265'],
    };
  }
  const launch = [
    'videotestsrc name=source is-live=true pattern=ball',
    'video/x-raw,format=I420,width=640,height=360,framerate=15/1',
    'openh264enc complexity=low gop-size=15 multi-thread=1',
    units('h264'),
  ].join(' ! ');
  return { launch, properties: {}, sinks: ['h264'] };
}

/**
 * From pictures that are pushed into `units` to raw ones in sinks that are named after their formats.
 *
 * The decoder shows no picture that refers to one it has not seen, and its source makes room by dropping: a machine
 * that is too slow loses pictures, not time.
 */
export function describeDecoder(codec: 'h264' | 'h265', rates: FrameRates): PipelineDescription {
  const decode = [
    'appsrc name=units format=time is-live=true leaky-type=downstream max-buffers=0 max-bytes=67108864 max-time=3000000000' +
      ` caps=video/x-${codec},stream-format=byte-stream,alignment=au`,
    `avdec_${codec} max-threads=1 output-corrupt=false`,
  ].join(' ! ');
  const [only, second] = rates;
  if (only && !second) return { launch: `${decode} ! ${convert(only)}`, properties: {} };
  // Decoded once for all; what one format is made of is dropped while only the other is wanted.
  const branches = rates.map(
    (one) =>
      `decoded. ! queue leaky=downstream max-size-buffers=2 ! valve name=${valveOf(one[0])} drop=true ! ${convert(one)}`,
  );
  return { launch: `${decode} ! tee name=decoded ${branches.join(' ')}`, properties: {} };
}

/** The valve of one format, where several are made of one stream. */
export const valveOf = (format: FrameFormat) => `${format}valve`;

/**
 * Pictures are chosen by their times alone. Of a stream that states no frame rate, videorate does not know how long
 * a picture lasts, and aborts the process; so every stream states one here, higher than any that is asked for.
 */
const limit = (rate: number) =>
  `capssetter caps=video/x-raw,framerate=1000/1 ! videorate drop-only=true max-rate=${Math.ceil(rate)}`;

/** The width is a multiple of four because rows are padded to that: what arrives has no padding. */
function convert([format, rate]: FrameRates[number]): string {
  const { name, width } = layouts[format];
  return [
    ...(rate > 0 ? [limit(rate)] : []),
    'videoconvertscale',
    `video/x-raw,format=${name},width=[4,${width},4],height=[4,4096],pixel-aspect-ratio=1/1`,
    sink(format),
  ].join(' ! ');
}
