import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import type { StreamOffer } from './source-test-protocol.ts';

/** Measures pictures by their own times: a camera may begin with a burst of older ones. */
export class VideoMeasurement {
  #config: VideoUnit['config'] | undefined;
  #pictures = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #keyFrames = 0;
  #firstKey = 0;
  #lastKey = 0;
  #bFrames = false;

  get keyFrames(): number {
    return this.#keyFrames;
  }

  take({ config, time, keyFrame, continues }: VideoUnit): void {
    if (continues) return;
    this.#config = config;
    this.#pictures += 1;
    if (time < this.#last) this.#bFrames = true;
    this.#first = Math.min(this.#first, time);
    this.#last = Math.max(this.#last, time);
    if (!keyFrame) return;
    if (this.#keyFrames === 0) this.#firstKey = time;
    this.#lastKey = time;
    this.#keyFrames += 1;
  }

  /** @returns undefined as long as no picture has come. */
  result(): StreamOffer['video'] | undefined {
    if (!this.#config) return undefined;
    const { codec, width, height } = this.#config;
    const seconds = (this.#last - this.#first) / videoTicksPerSecond;
    const keySeconds = (this.#lastKey - this.#firstKey) / videoTicksPerSecond;
    return {
      ...{ codec, width, height },
      frameRate: this.#pictures > 1 ? rounded((this.#pictures - 1) / seconds, 1) : null,
      keyFrameDistance: this.#keyFrames > 1 ? rounded(keySeconds / (this.#keyFrames - 1), 2) : null,
      bFrames: this.#bFrames,
    };
  }
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
