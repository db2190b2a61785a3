import type { PipelineSession, Source } from './session.ts';
import { parseStreamAddress } from './source-url.ts';

/** What GStreamer is to build. */
export interface Description {
  /** In gst-launch's language. It is made of constants and numbers alone: no user's text becomes a part of it. */
  readonly launch: string;
  /** Text that is set on the finished elements, by element and property. */
  readonly properties: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Descriptions {
  /** Video as fragments in the sink `fragments`, and, without a sub stream, pictures as below. */
  readonly main: Description;
  /** Pictures in the sink `pictures`, while the `valve` is open. Apart, so that its trouble stops no recording. */
  readonly sub?: Description;
}

/** How long a packet of a lossy transport is waited for. In order, packets pass at once. */
const jitterMilliseconds = 200;
/** Pictures for detectors are at most this wide. */
const pictureWidth = 320;

const sink = (name: string) => `appsink name=${name} sync=false wait-on-eos=false max-buffers=256`;

/** avc and whole pictures once, before everything else; parameter sets in every key frame. */
const parse = 'h264parse config-interval=-1 ! video/x-h264,stream-format=avc,alignment=au';
/** 90 kHz is H.264's own clock over RTP: no time is rounded. */
const fragments = `mp4mux fragment-duration=1000 streamable=true trak-timescale=90000 ! ${sink('fragments')}`;

/**
 * The decoder shows no picture that refers to one it has not seen, and the queue makes room by dropping: a machine
 * that is too slow loses pictures, not time. gdppay puts the time of a picture before it.
 *
 * The width is a multiple of four because gray rows are padded to that: what arrives has no padding.
 */
function pictures(rate: number): string {
  return [
    'valve name=valve drop=true',
    'queue leaky=downstream max-size-buffers=30 max-size-bytes=0 max-size-time=0',
    'avdec_h264 max-threads=1 output-corrupt=false',
    ...(rate > 0 ? [`videorate drop-only=true max-rate=${Math.ceil(rate)}`] : []),
    'videoconvertscale',
    `video/x-raw,format=GRAY8,width=[4,${pictureWidth},4],height=[4,4096],pixel-aspect-ratio=1/1`,
    'gdppay',
    // Nothing arrives while the valve is closed; the pipeline must not wait for it.
    `${sink('pictures')} async=false`,
  ].join(' ! ');
}

/** @throws {SourceError} when the source's address cannot be used. */
export function describePipelines({
  source,
  frames,
}: Pick<PipelineSession, 'source' | 'frames'>): Descriptions {
  const wanted = frames.gray && pictures(frames.gray.rate);
  const sub = source.kind === 'rtsp' ? source.sub : undefined;
  if (!wanted) return { main: from(source, fragments) };
  if (source.kind !== 'rtsp' || sub === undefined) {
    return { main: from(source, `tee name=video ! queue ! ${fragments} video. ! ${wanted}`) };
  }
  return { main: from(source, fragments), sub: from({ ...source, main: sub }, wanted) };
}

/** From a source's H.264 to whatever is made of it. */
function from(source: Source, rest: string): Description {
  switch (source.kind) {
    case 'rtsp': {
      const { location, user, password } = parseStreamAddress(source.main);
      return {
        launch: [
          // Cameras sign their own certificates: TLS keeps the stream private, it cannot say who sends it.
          `rtspsrc name=source protocols=${source.protocol} latency=${jitterMilliseconds} tls-validation-flags=0`,
          // The session watches for silence, and begins anew, by itself.
          'timeout=0 tcp-timeout=0 udp-reconnect=false',
          `source. ! application/x-rtp,media=video,encoding-name=H264 ! rtph264depay name=depay ! ${parse} ! ${rest}`,
          // Other video ends here, to be named in the report. Second, because a stream goes to the first that takes it.
          'source. ! application/x-rtp,media=video ! typefind name=other ! fakesink sync=false async=false',
        ].join(' '),
        properties: {
          source: { location, ...(user !== '' && { 'user-id': user, 'user-pw': password }) },
        },
      };
    }
    case 'file':
      return {
        launch: `filesrc name=source ! parsebin name=parser parser. ! video/x-h264 ! clocksync ! ${parse} ! ${rest}`,
        properties: { source: { location: source.path } },
      };
    case 'test':
      return {
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
