import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import {
  type AacFormat,
  describeAudioConverter,
  encoderDelay,
  type RawAudio,
} from '../gstreamer/audio-description.ts';
import { readGdp } from '../gstreamer/gdp.ts';
import { Pipeline } from '../gstreamer/gstreamer.ts';
import { describeWait, pipelineBudget } from '../gstreamer/pipeline-budget.ts';

export interface AudioConverterOptions {
  readonly from: RawAudio;
  readonly to: AacFormat;
  /** @param timeUs media time */
  readonly onFrame: (data: Buffer, timeUs: number) => void;
  /** Called once. Nothing is converted after it. */
  readonly onFailure: (detail: string) => void;
}

/** Of audio that keeps coming, without a frame of AAC, in milliseconds. */
const maxSilenceMs = 10_000;
/** Packets that come further apart than this have a pause between them, of which there was nothing to encode. */
const minPauseMs = 1000;

/** Makes AAC of other audio. GStreamer is loaded when the first of it comes. */
export class AudioConverter {
  readonly #options: AudioConverterOptions;
  readonly #delayUs: number;
  #pipeline: Pipeline | undefined;
  #drained: Promise<void> = Promise.resolve();
  /** When the last packet came: by the monotonic clock, as stamps may run. */
  #lastMs: number | undefined;
  /** For so long audio has come since the last frame of AAC, pauses not included. */
  #silentMs = 0;
  #isOver = false;

  constructor(options: AudioConverterOptions) {
    this.#options = options;
    this.#delayUs = (encoderDelay * 1e6) / options.to.sampleRate;
  }

  /** @param timeUs media time */
  push(data: Buffer, timeUs: number): void {
    if (this.#isOver) return;
    const now = performance.now();
    const stepMs = now - (this.#lastMs ?? now);
    this.#lastMs = now;
    if (stepMs < minPauseMs) this.#silentMs += stepMs;
    try {
      if (this.#silentMs > maxSilenceMs) throw new Error('nothing comes out of the encoder');
      this.#pipeline ??= this.#open();
      this.#pipeline.push('audio', data, timeUs * 1000);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  /** What is under way still arrives, for a second at most. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pipeline?.sendEnd();
    await Promise.race([this.#drained, sleep(stopDeadlinesMs.streamDrain)]);
    this.#pipeline?.close();
  }

  #open(): Pipeline {
    const { from, to, onFrame } = this.#options;
    const waitMs = pipelineBudget.take(performance.now());
    if (waitMs > 0) throw new Error(describeWait(waitMs));
    const pipeline = new Pipeline(describeAudioConverter(from, to));
    pipeline.play(({ type, text }) => {
      if (type === 'error') this.#fail(text);
    });
    this.#drained = pipeline.pull('aac', (packet) => {
      const { data, timeNs = 0 } = readGdp(packet) ?? {};
      if (!data) return;
      this.#silentMs = 0;
      onFrame(Buffer.from(data), timeNs / 1000 - this.#delayUs);
    });
    return pipeline;
  }

  #fail(detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pipeline?.close();
    this.#options.onFailure(detail);
  }
}
