import type { Frame } from '../../bus/frames.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { toByteStream } from '../codecs/byte-stream.ts';
import { Pipeline } from '../gstreamer/gstreamer.ts';
import { describeWait, pipelineBudget } from '../gstreamer/pipeline-budget.ts';
import { describeDecoder, type FrameRates, valveOf } from '../gstreamer/pipeline-description.ts';
import { LastGroup } from '../media/last-group.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import { FrameReader } from './frame-reader.ts';

export interface FrameDecoderOptions {
  readonly rates: FrameRates;
  /** Has seen the pictures arrive before they are pushed. */
  readonly clock: Pick<MediaClock, 'at'>;
  readonly onFrame: (frame: Frame) => void;
  /** Nothing is decoded for a minute or more, and why. */
  readonly onFailure: (detail: string) => void;
}

/** Pictures before the first wanted one get times this close together: they are decoded, not shown. */
const squeeze = 10_000;
const retryMs = 60_000;
const nsPerTick = 1e9 / videoTicksPerSecond;

interface Decoder {
  readonly codec: 'h264' | 'h265';
  readonly pipeline: Pipeline;
  readonly readers: readonly FrameReader[];
}

/** Raw pictures for detectors, decoded only while they are wanted. */
export class FrameDecoder {
  readonly #options: FrameDecoderOptions;
  readonly #group = new LastGroup();
  #wanted: ReadonlySet<FrameFormat> = new Set();
  #decoder: Decoder | undefined;
  #isFed = false;
  /** Of the monotonic clock. */
  #retryAtMs = 0;
  #isClosed = false;

  constructor(options: FrameDecoderOptions) {
    this.#options = options;
  }

  setWanted(wanted: ReadonlySet<FrameFormat>): void {
    const own = this.#options.rates.map(([format]) => format);
    this.#wanted = new Set(own.filter((format) => wanted.has(format)));
    this.#isFed &&= this.#wanted.size > 0;
    this.#setValves();
    this.#begin();
  }

  push(unit: VideoUnit): void {
    this.#group.push(unit);
    // Another codec needs another decoder.
    this.#isFed &&= unit.config.codec === this.#decoder?.codec;
    if (this.#isFed) this.#feed(unit, unit.time);
    else this.#begin();
  }

  close(): void {
    this.#isClosed = true;
    this.#isFed = false;
    this.#group.clear();
    this.#decoder?.pipeline.close();
  }

  /** Begins with the last key frame. */
  #begin(): void {
    const last = this.#group.units.at(-1);
    if (this.#isClosed || this.#isFed || this.#wanted.size === 0 || !last) return;
    if (performance.now() < this.#retryAtMs) return;
    if (this.#decoder?.codec !== last.config.codec) this.#tryOpen(last.config.codec);
    if (!this.#decoder) return;
    this.#isFed = true;
    for (const reader of this.#decoder.readers) reader.skipUntil(Math.floor(last.time * nsPerTick));
    for (const unit of this.#group.units) this.#feed(unit, last.time - (last.time - unit.time) / squeeze);
  }

  #feed({ data, keyFrame, config }: VideoUnit, time: number): void {
    this.#decoder?.pipeline.push(
      'units',
      toByteStream(data, keyFrame ? config : undefined),
      time * nsPerTick,
    );
  }

  #tryOpen(codec: 'h264' | 'h265'): void {
    const waitMs = pipelineBudget.take(performance.now());
    if (waitMs > 0) {
      this.#fail(describeWait(waitMs), waitMs);
      return;
    }
    try {
      this.#open(codec);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #open(codec: 'h264' | 'h265'): void {
    const { rates, clock, onFrame } = this.#options;
    this.#decoder?.pipeline.close();
    const pipeline = new Pipeline(describeDecoder(codec, rates));
    pipeline.play(({ type, text }) => {
      if (type === 'error' && this.#decoder?.pipeline === pipeline && !this.#isClosed) this.#fail(text);
    });
    const readers = rates.map(([format, rate]) => {
      const reader = new FrameReader(rate, format, clock);
      void pipeline.pull(format, (packet) => {
        const frame = reader.read(packet);
        if (frame && !this.#isClosed) onFrame(frame);
      });
      return reader;
    });
    this.#decoder = { codec, pipeline, readers };
    this.#setValves();
  }

  #fail(text: string, pauseMs = retryMs): void {
    this.#decoder?.pipeline.close();
    this.#decoder = undefined;
    this.#isFed = false;
    this.#retryAtMs = performance.now() + pauseMs;
    this.#options.onFailure(text);
  }

  #setValves(): void {
    const { rates } = this.#options;
    if (rates.length < 2) return;
    for (const [format] of rates) {
      this.#decoder?.pipeline.set(valveOf(format), 'drop', !this.#wanted.has(format));
    }
  }
}
