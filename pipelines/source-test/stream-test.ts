import { encodeJpeg } from '../../bus/base/jpeg.ts';
import { wallClockUs } from '../../bus/base/time.ts';
import type { Frame } from '../../bus/frames.ts';
import { decoderUnit } from '../frames/decoder-unit.ts';
import { FrameDecoder } from '../frames/frame-decoder.ts';
import { MediaClock } from '../media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import type { PipelineEnd } from '../protocol/pipeline-protocol.ts';
import type { RtspTrack } from '../rtsp/protocol/sdp.ts';
import type { VideoInput } from '../sources/video-input.ts';
import type { StreamOffer, StreamTestResult } from './source-test-protocol.ts';
import { VideoMeasurement } from './video-measurement.ts';

/** Long enough for a rate of pictures. */
const minObservedMs = 2000;
/** For a second key frame. */
const maxObservedMs = 6000;

/** Plays a stream once, for as long as it takes to see what it is like. */
export class StreamTest {
  readonly #source: VideoInput;
  readonly #measurement = new VideoMeasurement();
  readonly #clock = new MediaClock();
  readonly #decoder: FrameDecoder;
  #tracks: readonly RtspTrack[] | undefined;
  /** Of the monotonic clock: when the first picture came. */
  #beganMs: number | undefined;
  /** Null when it cannot be decoded. */
  #picture: string | null | undefined;

  constructor(source: VideoInput) {
    this.#source = source;
    this.#decoder = new FrameDecoder({
      ...{ rates: [['rgb', 0]], clock: this.#clock },
      onFrame: (frame) => this.#takeFrame(frame),
      onFailure: () => {
        this.#picture = null;
      },
    });
    this.#decoder.setWanted(new Set(['rgb']));
  }

  /** Never rejects, and takes hardly longer than this: a camera has a second for goodbye. */
  async run(withinMs: number): Promise<StreamTestResult> {
    const deadline = setTimeout(() => this.#source.end(this.#endOfPatience(withinMs)), withinMs);
    const end = await this.#source.play({
      onTracks: (tracks) => {
        this.#tracks = tracks;
      },
      onVideo: (unit) => this.#takeVideo(unit),
      onAudio: () => {},
      onJump: () => {},
    });
    clearTimeout(deadline);
    this.#decoder.close();
    const video = this.#measurement.result();
    if (!video) return { ok: false, ...end };
    return { ok: true, offer: this.#offer(video) };
  }

  #endOfPatience(withinMs: number): PipelineEnd {
    const seconds = Math.round(withinMs / 1000);
    return this.#tracks
      ? { reason: 'silent', detail: `the camera has sent no picture within ${seconds} s` }
      : { reason: 'unreachable', detail: `the camera has not answered within ${seconds} s` };
  }

  #takeVideo(unit: VideoUnit): void {
    this.#beganMs ??= performance.now();
    this.#measurement.take(unit);
    if (this.#picture === undefined) {
      this.#clock.observe((unit.time * 1e6) / videoTicksPerSecond, wallClockUs(unit.arrivedMs));
      this.#decoder.push(decoderUnit(unit));
    }
    this.#endIfSeen();
  }

  #takeFrame(frame: Frame): void {
    if (this.#picture !== undefined) return;
    this.#picture = Buffer.from(encodeJpeg(frame)).toString('base64');
    this.#decoder.setWanted(new Set());
    this.#endIfSeen();
  }

  #endIfSeen(): void {
    if (this.#picture === undefined || this.#beganMs === undefined) return;
    const observedMs = performance.now() - this.#beganMs;
    const enough = this.#measurement.keyFrames > 1 ? minObservedMs : maxObservedMs;
    if (observedMs >= enough) this.#source.end({ reason: 'stopped', detail: '' });
  }

  #offer(video: StreamOffer['video']): StreamOffer {
    const tracks = (this.#tracks ?? []).map(({ media, codec, clockRate, channels }) => ({
      ...{ kind: media, codec, clockRate },
      channels: channels ?? null,
    }));
    const audio = tracks.find(({ kind }) => kind === 'audio')?.codec ?? null;
    return { tracks, video, audio, picture: this.#picture ?? null };
  }
}
