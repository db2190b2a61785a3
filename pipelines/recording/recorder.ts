import type { MachineStart } from '../../bus/base/machine-clock.ts';
import { nowUs } from '../../bus/base/time.ts';
import { Preroll, type TimedFragment } from './preroll.ts';
import { RecordingLoss, type RecordingLossOptions } from './recording-loss.ts';
import { type QueuedRecording, WriteQueue, type WriteQueueOptions } from './write-queue.ts';

export interface RecorderOptions extends WriteQueueOptions, RecordingLossOptions {
  readonly alwaysRecord: boolean;
  /** Milliseconds after which a recording is cut, at the next key frame. */
  readonly videoLength: number;
  /** How much later than what they show events may come, in milliseconds. */
  readonly eventsLateMs: number;
  readonly clock: RecorderClock;
}

/** Leads from the fragments' times to Unix time. */
export interface RecorderClock {
  /** Unix time minus the fragments' times, in microseconds. Another one begins another recording at the next key frame. */
  readonly offsetUs: number;
  /** By how much the fragments' times are ahead of what they should be, in microseconds. */
  readonly leadUs: number;
  /** Of the clock by which this is so. */
  readonly machine: MachineStart;
}

/** Before what an event shows, and for the fragment that is not complete. */
const [beforeEventUs, incompleteUs] = [5_000_000, 1_000_000];
const maxPrerollBytes = 48 * 1024 * 1024;

/** As far ahead as anybody asks, in microseconds. */
const maxUntilUs = 86_400_000_000;

/**
 * Decides which fragments are recorded, and has them written without ever making the stream wait.
 *
 * Recordings begin and end at key frames, so the next one takes up where the last one ended, with no picture lost
 * and none twice. When the disk fails or is too slow, that is logged once, and each further key frame is a new
 * attempt. So it is when a recording is wanted after the last group became larger than the pre-roll may hold.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #preroll: Preroll;
  readonly #loss: RecordingLoss;
  readonly #queue: WriteQueue;
  /** As the fragments' times. */
  #until = Number.NEGATIVE_INFINITY;
  /** A recording was wanted while nothing could begin one; it begins at the next key frame, however late that is. */
  #isOwed = false;
  /** The end of what came last, in media time. */
  #latestUs = 0;
  #active: QueuedRecording | undefined;
  /** Nothing more of the active recording is accepted: the disk is behind. */
  #isBehind = false;
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const length = beforeEventUs + options.eventsLateMs * 1000 + incompleteUs;
    this.#preroll = new Preroll({ length, bytes: maxPrerollBytes });
    this.#loss = new RecordingLoss(options);
    this.#queue = new WriteQueue(options, this.#loss);
  }

  get isRecording(): boolean {
    return this.#active !== undefined;
  }

  /** Bytes that it holds in memory. */
  get bytes(): number {
    return this.#preroll.bytes + this.#queue.bytes;
  }

  /** Records until then at least, Unix time in microseconds, or for a day. A time that has passed changes nothing. */
  recordUntil(until: number): void {
    this.#until = Math.max(this.#until, this.#timeOf(until));
    if (!this.#active && this.#wanted(this.#now)) this.#begin();
  }

  push(fragment: TimedFragment): void {
    if (this.#closed) return;
    if (this.#active && fragment.keyFrame && this.#isOver(this.#active, fragment)) this.#finish(this.#active);
    if (this.#active) {
      this.#continue(this.#active, fragment);
    } else {
      this.#preroll.push(fragment);
      if (this.#isOwed || this.#wanted(fragment.time)) this.#begin();
    }
    this.#latestUs = fragment.startUs + fragment.lengthUs;
  }

  /** Has what was pushed last put on the disk now, where it is recorded. */
  flush(): void {
    if (this.#active) this.#queue.flush(this.#active);
  }

  /** Finishes the recording, if there is one, and resolves when it is on disk. Nothing is recorded after. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#active) this.#finish(this.#active);
    await this.#queue.idle();
  }

  #wanted(time: number): boolean {
    this.#until = Math.min(this.#until, this.#now + maxUntilUs);
    return this.#options.alwaysRecord || time < this.#until;
  }

  #isOver(active: QueuedRecording, next: TimedFragment): boolean {
    const isLong = next.startUs - active.startUs >= this.#options.videoLength * 1000;
    const isCut = this.#isBehind || active.isFailed;
    const isSet = active.clock.offsetUs !== this.#options.clock.offsetUs;
    return isCut || isLong || isSet || next.layout !== active.layout || !this.#wanted(next.time);
  }

  get #now(): number {
    return this.#timeOf(nowUs());
  }

  /** @param unixUs Unix time in microseconds. @returns the time that a fragment of then has. */
  #timeOf(unixUs: number): number {
    const { offsetUs, leadUs } = this.#options.clock;
    return unixUs - offsetUs + leadUs;
  }

  #begin(): void {
    // Until the disk has caught up, the pre-roll goes on holding what it can.
    if (this.#closed || !this.#queue.hasRoom) return;
    const [first, ...others] = this.#preroll.take();
    if (!first) {
      if (this.#preroll.isBroken) this.#owe();
      return;
    }
    this.#isOwed = false;
    // Another layout begins another file.
    const change = others.findIndex(({ layout }) => layout !== first.layout);
    const own = change < 0 ? others : others.slice(0, change);
    const { offsetUs, machine } = this.#options.clock;
    this.#active = this.#queue.begin([first, ...own], { offsetUs, machine });
    for (const fragment of others.slice(own.length)) this.push(fragment);
  }

  #continue(active: QueuedRecording, fragment: TimedFragment): void {
    if (this.#isBehind || active.isFailed) return;
    if (!this.#queue.isFull) {
      this.#queue.append(active, fragment);
      return;
    }
    this.#isBehind = true;
    active.lossReason = 'the disk is too slow';
    this.#loss.begin(active.acceptedUs, active.lossReason);
  }

  #finish(active: QueuedRecording): void {
    this.#active = undefined;
    this.#isBehind = false;
    this.#queue.finish(active);
  }

  #owe(): void {
    this.#isOwed = true;
    const why = 'the last key frame is too long ago, recording begins with the next one';
    this.#loss.begin(this.#latestUs, why, 'warning');
  }
}
