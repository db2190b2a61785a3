import { nowUs } from '../bus/base/time.ts';
import type { Frame } from '../bus/frames.ts';
import type { FrameFormat } from '../bus/messages.ts';
import { FrameDecoder } from './frames/frame-decoder.ts';
import type { FrameRates } from './gstreamer/pipeline-description.ts';
import { MediaClock } from './media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from './media/unit.ts';
import type { PipelineEnd } from './protocol/pipeline-protocol.ts';
import type { VideoInput } from './sources/video-input.ts';
import type { SubStreamConnection } from './sub-stream.ts';

export interface DecodedStreamOptions {
  readonly source: VideoInput;
  readonly rates: FrameRates;
  readonly onFrame: (frame: Frame) => void;
}

/** A stream that is fetched for its pictures alone. */
export class DecodedStream implements SubStreamConnection {
  readonly #source: VideoInput;
  readonly #decoder: FrameDecoder;
  readonly #clock = new MediaClock();
  #onPicture = (): void => {};

  constructor({ source, rates, onFrame }: DecodedStreamOptions) {
    this.#source = source;
    this.#decoder = new FrameDecoder({
      rates,
      clock: this.#clock,
      onFrame: (frame) => {
        this.#onPicture();
        onFrame(frame);
      },
      onFailure: (detail) => this.end({ reason: 'broken', detail }),
    });
  }

  async play(onPicture: () => void): Promise<PipelineEnd> {
    this.#onPicture = onPicture;
    const end = await this.#source.play({
      onVideo: (unit) => this.#take(unit),
      onAudio: () => {},
      onJump: () => {},
    });
    this.#decoder.close();
    return end;
  }

  setValves(wanted: ReadonlySet<FrameFormat>): void {
    this.#decoder.setWanted(wanted);
  }

  end(end: PipelineEnd): void {
    this.#source.end(end);
  }

  #take(unit: VideoUnit): void {
    this.#clock.observe((unit.time * 1e6) / videoTicksPerSecond, nowUs());
    this.#decoder.push(unit);
  }
}
