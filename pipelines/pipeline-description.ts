import type { FrameFormat } from '../bus/messages.ts';
import type { PipelineSession, VideoSource } from './pipeline-protocol.ts';
import { parseStreamAddress } from './stream-address.ts';

/** What GStreamer is to build. */
export interface PipelineDescription {
  /** The pictures it makes, each in a sink of this name. */
  readonly formats: readonly FrameFormat[];
  /** In gst-launch's language. It is made of constants and numbers alone: no user's text becomes a part of it. */
  readonly launch: string;
  /** Text that is set on the finished elements, by element and property. */
  readonly properties: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface PipelineDescriptions {
  /** Video as fragments in the sink `fragments`, and, without a sub stream, pictures as below. */
  readonly main: PipelineDescription;
  /** Pictures, while the `valve` is open. Apart, so that its trouble stops no recording. */
  readonly sub?: PipelineDescription;
}

/** How long a packet of a lossy transport is waited for. In order, packets pass at once. */
const jitterMs = 200;
/** Motion shows in small pictures; small objects do not. */
const layouts: Readonly<Record<FrameFormat, { readonly name: string; readonly width: number }>> = {
  gray: { name: 'GRAY8', width: 320 },
  rgb: { name: 'RGB', width: 640 },
};

type Rates = readonly (readonly [FrameFormat, { readonly rate: number }])[];

/** The caps are taken off: the addon would make them, and the whole header in them, anew for every buffer. */
const sink = (name: string) =>
  `capssetter replace=true caps=application/x-bytes ! appsink name=${name} sync=false wait-on-eos=false max-buffers=256`;

/** avc and whole pictures once, before everything else; parameter sets in every key frame. */
const parse = 'h264parse config-interval=-1 ! video/x-h264,stream-format=avc,alignment=au';
/**
 * RTP brings no decode times, and a camera may send B-frames. 90 kHz is H.264's own clock over RTP: no time is
 * rounded.
 */
const fragments = `h264timestamper ! mp4mux fragment-duration=1000 streamable=true trak-timescale=90000 ! ${sink('fragments')}`;

/**
 * The decoder shows no picture that refers to one it has not seen, and the queue makes room by dropping: a machine
 * that is too slow loses pictures, not time. gdppay puts the time of a picture before it.
 *
 * The width is a multiple of four because rows are padded to that: what arrives has no padding.
 */
function pictures(rates: Rates): string {
  const decode = [
    'valve name=valve drop=true',
    'queue leaky=downstream max-size-buffers=30 max-size-bytes=0 max-size-time=0',
    'avdec_h264 max-threads=1 output-corrupt=false',
  ].join(' ! ');
  const [only, second] = rates;
  if (only && !second) return `${decode} ! ${convert(only)}`;
  // Decoded once for all; what one format is made of is dropped while only the other is wanted.
  const branches = rates.map(
    (one) =>
      `decoded. ! queue leaky=downstream max-size-buffers=2 ! valve name=${valveOf(one[0])} drop=true ! ${convert(one)}`,
  );
  return `${decode} ! tee name=decoded ${branches.join(' ')}`;
}

/** The valve of one format, where several are made of one stream. */
export const valveOf = (format: FrameFormat) => `${format}valve`;

/**
 * Pictures are chosen by their times alone. Of a stream that states no frame rate, videorate does not know how long
 * a picture lasts, and aborts the process; so every stream states one here, higher than any that is asked for.
 */
const limit = (rate: number) =>
  `capssetter caps=video/x-raw,framerate=1000/1 ! videorate drop-only=true max-rate=${Math.ceil(rate)}`;

function convert([format, { rate }]: Rates[number]): string {
  const { name, width } = layouts[format];
  return [
    ...(rate > 0 ? [limit(rate)] : []),
    'videoconvertscale',
    `video/x-raw,format=${name},width=[4,${width},4],height=[4,4096],pixel-aspect-ratio=1/1`,
    'gdppay',
    // Nothing arrives while the valve is closed; the pipeline must not wait for it.
    `${sink(format)} async=false`,
  ].join(' ! ');
}

/** @throws {SourceError} when the source's address cannot be used. */
export function describePipelines({
  source,
  frames,
}: Pick<PipelineSession, 'source' | 'frames'>): PipelineDescriptions {
  const { gray, rgb } = frames;
  const all: Rates = [...(gray ? [['gray', gray] as const] : []), ...(rgb ? [['rgb', rgb] as const] : [])];
  const sub = source.kind === 'rtsp' ? source.sub : undefined;
  const ofMain = all.filter(([format]) => sub === undefined || (format === 'rgb' && rgb?.main));
  const ofSub = all.filter((one) => !ofMain.includes(one));
  const main =
    ofMain.length === 0
      ? from(source, fragments, ofMain)
      : from(source, `tee name=video ! queue ! ${fragments} video. ! ${pictures(ofMain)}`, ofMain);
  if (source.kind !== 'rtsp' || sub === undefined || ofSub.length === 0) return { main };
  return { main, sub: from({ ...source, main: sub }, pictures(ofSub), ofSub) };
}

/** From a source's H.264 to whatever is made of it. */
function from(source: VideoSource, rest: string, rates: Rates): PipelineDescription {
  const formats = rates.map(([format]) => format);
  switch (source.kind) {
    case 'rtsp': {
      const { location } = parseStreamAddress(source.main);
      return {
        formats,
        launch: [
          // Cameras sign their own certificates: TLS keeps the stream private, it cannot say who sends it.
          `rtspsrc name=source protocols=${source.protocol} latency=${jitterMs} tls-validation-flags=0`,
          // The camera's own times, exactly: bent after arrivals they are a percent off at first, and jump under load.
          'buffer-mode=none',
          // The session watches for silence, and begins anew, by itself.
          'timeout=0 tcp-timeout=0 udp-reconnect=false',
          `source. ! application/x-rtp,media=video,encoding-name=H264 ! rtph264depay name=depay ! ${parse} ! ${rest}`,
          // Other video ends here, to be named in the report. Second, because a stream goes to the first that takes it.
          'source. ! application/x-rtp,media=video ! typefind name=other ! fakesink sync=false async=false',
        ].join(' '),
        properties: { source: { location } },
      };
    }
    case 'file':
      return {
        formats,
        launch: `filesrc name=source ! parsebin name=parser parser. ! video/x-h264 ! clocksync ! ${parse} ! ${rest}`,
        properties: { source: { location: source.path } },
      };
    case 'test':
      return {
        formats,
        launch: [
          'videotestsrc name=source is-live=true pattern=ball',
          'video/x-raw,format=I420,width=640,height=360,framerate=15/1',
          'openh264enc complexity=low gop-size=15 multi-thread=1',
          parse,
          rest,
        ].join(' ! '),
        properties: {},
      };
  }
}
