import { backoffDelay } from '../../bus/base/backoff.ts';
import { highestRate, toleranceUs } from '../../bus/frame-rate-limit.ts';
import type { Frame } from '../../bus/frames.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { Pipeline } from '../gstreamer/gstreamer.ts';
import { describeWait, pipelineBudget } from '../gstreamer/pipeline-budget.ts';
import {
  describeDecoder,
  type FrameRates,
  limitOf,
  maxRate,
  maxTime,
  valveOf,
} from '../gstreamer/pipeline-description.ts';
import { LastGroup } from '../media/last-group.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import { DecoderDelay } from './decoder-delay.ts';
import type { DecoderUnit } from './decoder-unit.ts';
import { FrameReader } from './frame-reader.ts';
import { KeyFramePace } from './key-frame-pace.ts';

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
/** The next attempt after a failure; each makes a decoder, of which a process can make only so many. */
const retry = { minMs: 30_000, maxMs: 3600_000 };
/** Where more frames are wanted in a second, a key frame is hardly ever enough. */
const maxKeyFrameRate = 1;
const nsPerTick = 1e9 / videoTicksPerSecond;
/** What comes while a burst is decoded is late as well, for so long. */
const settleNs = 2e9;
/** For so long many frames in a row may be late because others use the machine, at a start for example. */
const busyUs = 15e6;
/** As the decoder gives it back. */
const toNs = (time: number) => Math.round(time * nsPerTick);

interface Decoder {
  readonly codec: 'h264' | 'h265';
  readonly pipeline: Pipeline;
  readonly readers: readonly FrameReader[];
}

/**
 * Raw pictures for detectors, decoded only while they are wanted; where key frames come as often as frames are wanted, no
 * others are decoded.
 */
export class FrameDecoder {
  readonly #options: FrameDecoderOptions;
  readonly #group = new LastGroup<DecoderUnit>();
  #wanted: ReadonlySet<FrameFormat> = new Set();
  #decoder: Decoder | undefined;
  #isFed = false;
  #pace = new KeyFramePace();
  readonly #delay = new DecoderDelay(busyUs);
  /** The time of the last picture that was decoded, in nanoseconds. */
  #fedNs = 0;
  /** Until this time frames come after later pictures because many were given at once. */
  #settledNs = 0;
  /** More may wait than as a rule: a burst is not cut off at its beginning. */
  #isPatient = false;
  /** Of the present group nothing is decoded but its key frame, if that. */
  #isSkipping = false;
  /** GStreamer drops nothing for the rate's sake. */
  #isUnlimited = false;
  /** The time of the key frame that was decoded alone, in nanoseconds. */
  #aloneNs: number | undefined;
  /** Whether the last picture was decoded. */
  #wasFed = false;
  /** Of the monotonic clock. */
  #retryAtMs = 0;
  /** In a row. */
  #failures = 0;
  #isClosed = false;

  constructor(options: FrameDecoderOptions) {
    this.#options = options;
  }

  setWanted(wanted: ReadonlySet<FrameFormat>): void {
    const own = this.#options.rates.map(([format]) => format);
    this.#wanted = new Set(own.filter((format) => wanted.has(format)));
    // What is newly wanted does not wait for the next key frame.
    this.#isFed &&= this.#wanted.size > 0 && !this.#isSkipping;
    this.#setValves();
    this.#begin();
  }

  /** Of late frames were made only when later pictures had come: none should wait for another. */
  get isDelayed(): boolean {
    return this.#delay.isDelayed(this.#fedNs / 1000);
  }

  /** So many microseconds after a key frame others are needed if no other has come; undefined where all are needed. */
  get keysLateUs(): number | undefined {
    if (!this.#isFed || !this.#isSkipping) return undefined;
    const periodUs = this.#periodUs();
    const distanceUs = this.#pace.distanceUs(periodUs);
    return distanceUs > 0 ? distanceUs + toleranceUs(periodUs) : undefined;
  }

  /** Of the newest picture that was shown, on the line of time of what is pushed, in ticks. */
  get shownTime(): number {
    return Math.max(0, ...(this.#decoder?.readers.map(({ latestNs }) => latestNs) ?? [])) / nsPerTick;
  }

  push(unit: DecoderUnit): void {
    this.keep(unit);
    // Another codec needs another decoder.
    this.#isFed &&= unit.codec === this.#decoder?.codec;
    if (!this.#isFed) this.#begin();
    else if (unit.keyFrame) this.#takeKeyFrame(unit);
    else if (this.#isSkipping) this.#passOver(unit);
    else this.#feed(unit, unit.time);
  }

  /** Pictures that are given all at once, long after they were taken. */
  pushBurst(units: readonly DecoderUnit[]): void {
    this.#noteBurst(units.at(-1)?.time ?? 0);
    this.#setPatient(true);
    for (const unit of units) this.push(unit);
  }

  /** A picture of the last group, others of which follow at once: decoding begins with the last of them. */
  keep(unit: DecoderUnit): void {
    this.#pace.push(unit);
    this.#group.push(unit);
  }

  /** Pictures were lost: decoding goes on with the next key frame. */
  interrupt(): void {
    this.#group.clear();
    this.#isFed = false;
    for (const reader of this.#decoder?.readers ?? []) reader.skipUntil(Number.POSITIVE_INFINITY);
  }

  /** Another connection begins, whose pictures have later times. */
  restart(): void {
    this.interrupt();
    this.#pace = new KeyFramePace();
    for (const reader of this.#decoder?.readers ?? []) reader.restart();
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
    if (this.#decoder?.codec !== last.codec) this.#tryOpen(last.codec);
    if (!this.#decoder) return;
    this.#isFed = true;
    this.#isSkipping = false;
    this.#aloneNs = undefined;
    this.#noteBurst(last.time);
    for (const reader of this.#decoder.readers) reader.skipUntil(Math.floor(last.time * nsPerTick));
    for (const unit of this.#group.units) this.#feed(unit, last.time - (last.time - unit.time) / squeeze);
  }

  #takeKeyFrame(unit: DecoderUnit): void {
    const readers = this.#decoder?.readers.filter(({ format }) => this.#wanted.has(format)) ?? [];
    const alone = this.#aloneNs;
    if (alone !== undefined) this.#pace.note(readers.every(({ latestNs }) => latestNs >= alone));
    const distanceUs = this.#pace.distanceUs(this.#periodUs());
    const isEnough = distanceUs > 0;
    // What GStreamer may drop is known to it one picture later: this group is decoded as before.
    this.#isSkipping = isEnough && this.#isUnlimited;
    this.#setUnlimited(isEnough);
    const timeNs = toNs(unit.time);
    // Each reader is asked: it counts what it has chosen.
    const isChosen =
      readers.filter((reader) => this.#isSkipping && reader.choose(timeNs, distanceUs)).length > 0;
    this.#aloneNs = isChosen ? timeNs : undefined;
    this.#wasFed = isChosen || !this.#isSkipping;
    if (this.#wasFed) this.#feed(unit, unit.time);
  }

  /** Where the next key frame is late, decoding begins with the last one. */
  #passOver(unit: DecoderUnit): void {
    this.#wasFed &&= unit.continues;
    if (this.#wasFed) this.#feed(unit, unit.time);
    const timeNs = toNs(unit.time);
    const isLate = this.#decoder?.readers.some(
      (reader) => this.#wanted.has(reader.format) && reader.isOverdue(timeNs),
    );
    if (!isLate) return;
    this.#setUnlimited(false);
    this.#isFed = false;
    this.#begin();
  }

  /** What is chosen before it is decoded must not be dropped after it. */
  #setUnlimited(isUnlimited: boolean): void {
    if (isUnlimited === this.#isUnlimited) return;
    this.#isUnlimited = isUnlimited;
    for (const [format, rate] of this.#options.rates) {
      if (rate === 0) continue;
      const most = isUnlimited ? maxRate.none : maxRate.of(rate);
      this.#decoder?.pipeline.set(limitOf(format), maxRate.property, most);
    }
  }

  /** Microseconds between two frames that are wanted; 0 where they are so many that a key frame is never enough. */
  #periodUs(): number {
    const rates = this.#options.rates.filter(([format]) => this.#wanted.has(format)).map(([, rate]) => rate);
    const highest = highestRate(rates);
    return highest > 0 && highest <= maxKeyFrameRate ? 1e6 / highest : 0;
  }

  #noteBurst(lastTime: number): void {
    this.#settledNs = Math.max(this.#settledNs, toNs(lastTime) + settleNs);
  }

  #noteShown(timeNs: number): void {
    if (timeNs < this.#settledNs) return;
    this.#setPatient(false);
    this.#delay.note(timeNs >= this.#fedNs, timeNs / 1000);
  }

  #setPatient(isPatient: boolean): void {
    if (isPatient === this.#isPatient) return;
    this.#isPatient = isPatient;
    const most = isPatient ? maxTime.burst : maxTime.usual;
    this.#decoder?.pipeline.set('units', maxTime.property, most);
  }

  #feed({ data }: DecoderUnit, time: number): void {
    this.#fedNs = toNs(time);
    this.#decoder?.pipeline.push('units', data, time * nsPerTick);
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
        if (!frame || this.#isClosed) return;
        this.#noteShown(reader.latestNs);
        this.#failures = 0;
        onFrame(frame);
      });
      return reader;
    });
    this.#decoder = { codec, pipeline, readers };
    this.#isUnlimited = false;
    this.#isPatient = false;
    this.#setValves();
  }

  #fail(text: string, pauseMs = backoffDelay(retry, ++this.#failures, 1)): void {
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
