import type { FrameFormat } from '../../bus/messages.ts';
import { type FileAudioSink, fileAudioBranches } from './audio-description.ts';
import { gdpSink } from './gdp.ts';
import type { PipelineDescription } from './gstreamer.ts';

/** Motion shows in small pictures; small objects do not. */
const layouts: Readonly<Record<FrameFormat, { readonly name: string; readonly width: number }>> = {
  gray: { name: 'GRAY8', width: 320 },
  rgb: { name: 'RGB', width: 640 },
};

/** Pictures a second by format, 0 for every one. */
export type FrameRates = readonly (readonly [FrameFormat, number])[];

/** Whole pictures, with their parameter sets. */
const units = (codec: 'h264' | 'h265') =>
  `${codec}parse config-interval=-1 ! video/x-${codec},stream-format=byte-stream,alignment=au ! ${gdpSink(codec)}`;

/** The sources that GStreamer plays itself: a file, or its test picture. */
export type LocalSource = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'test' };

export interface SourceDescription extends PipelineDescription {
  /** Encoded video in sinks that are named after its codec. Of several, one delivers. */
  readonly videoSinks: readonly ('h264' | 'h265')[];
  /** AAC. Of several, one delivers at most. */
  readonly audioSinks: readonly FileAudioSink[];
}

export function describeSource(source: LocalSource): SourceDescription {
  if (source.kind === 'file') {
    const branch = (codec: 'h264' | 'h265') => `parser. ! video/x-${codec} ! clocksync ! ${units(codec)}`;
    const audio = Object.values(fileAudioBranches).map((elements) => `parser. ! ${elements}`);
    return {
      launch: ['filesrc name=source ! parsebin name=parser', branch('h264'), branch('h265'), ...audio].join(
        ' ',
      ),
      properties: { source: { location: source.path } },
      videoSinks: ['h264', 'h265'],
      audioSinks: ['aac', 'converted'],
    };
  }
  const launch = [
    'videotestsrc name=source is-live=true pattern=ball',
    'video/x-raw,format=I420,width=640,height=360,framerate=15/1',
    'openh264enc complexity=low gop-size=15 multi-thread=1',
    units('h264'),
  ].join(' ! ');
  return { launch, properties: {}, videoSinks: ['h264'], audioSinks: [] };
}

/** The property of `units` that says how much may wait to be decoded, in nanoseconds; `burst` is more than is kept of a camera. */
export const maxTime = { property: 'max-time', usual: 3e9, burst: 12e9 } as const;

/**
 * From pictures that are pushed into `units` to raw ones in sinks that are named after their formats.
 *
 * The decoder shows no picture that refers to one it has not seen, and its source makes room by dropping: a machine
 * that is too slow loses pictures, not time.
 */
export function describeDecoder(codec: 'h264' | 'h265', rates: FrameRates): PipelineDescription {
  const decode = [
    'appsrc name=units format=time is-live=true leaky-type=downstream max-buffers=0 max-bytes=67108864' +
      ` ${maxTime.property}=${maxTime.usual} caps=video/x-${codec},stream-format=byte-stream,alignment=au`,
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

/**
 * From encoded frames of a file that are pushed into `units` to RGB in the sink `rgb`.
 *
 * @param record content of the box `avcC` or `hvcC`
 */
export function describePictureDecoder(codec: 'h264' | 'h265', record: Buffer): PipelineDescription {
  const format = codec === 'h264' ? 'avc' : 'hvc1';
  const caps = `video/x-${codec},stream-format=${format},alignment=au,codec_data=(buffer)${record.toString('hex')}`;
  const launch = [
    `appsrc name=units format=time max-bytes=67108864 caps=${caps}`,
    `avdec_${codec} max-threads=1 output-corrupt=false`,
    convert(['rgb', 0]),
  ];
  return { launch: launch.join(' ! '), properties: {} };
}

/** The valve of one format, where several are made of one stream. */
export const valveOf = (format: FrameFormat) => `${format}valve`;

/** The element that drops what comes sooner than the rate says, where there is a rate. */
export const limitOf = (format: FrameFormat) => `${format}limit`;

/** Its property `max-rate`, and one that drops nothing. */
export const maxRate = { property: 'max-rate', of: (rate: number) => Math.ceil(rate), none: 1000 } as const;

/**
 * Pictures are chosen by their times alone. Of a stream that states no frame rate, videorate does not know how long
 * a picture lasts, and aborts the process; so every stream states one here, higher than any that is asked for.
 */
const limit = (format: FrameFormat, rate: number) =>
  `capssetter caps=video/x-raw,framerate=${maxRate.none}/1 ! videorate name=${limitOf(format)} drop-only=true ${maxRate.property}=${maxRate.of(rate)}`;

/** The width is a multiple of four because rows are padded to that: what arrives has no padding. */
function convert([format, rate]: FrameRates[number]): string {
  const { name, width } = layouts[format];
  return [
    ...(rate > 0 ? [limit(format, rate)] : []),
    'videoconvertscale',
    `video/x-raw,format=${name},width=[4,${width},4],height=[4,4096],pixel-aspect-ratio=1/1`,
    gdpSink(format),
  ].join(' ! ');
}
