import { nowUs } from '../../bus/base/time.ts';
import type { Log } from '../../bus/log.ts';
import type { RecordingReport } from '../../bus/messages.ts';
import { type Layout, streamsOf } from '../mp4/init-segment.ts';
import { Preroll, type TimedFragment } from './preroll.ts';
import { RecordingFile, type RecordingPlace } from './recording-file.ts';
import { RecordingProgress } from './recording-progress.ts';

export interface RecorderOptions extends RecordingPlace {
  readonly alwaysRecord: boolean;
  /** Milliseconds after which a recording is cut, at the next key frame. */
  readonly videoLength: number;
  readonly log: Log;
  /** Gets the id of each recording that has appeared on disk, and null when none is written any more. */
  readonly onRecording: (file: string | null) => void;
  /** Gets what is on disk of each recording, from its first fragment to its end. */
  readonly onReport: (report: RecordingReport) => void;
  /** Gets why nothing can be recorded, and null when it can again. */
  readonly onTrouble: (text: string | null) => void;
}

/** Five seconds before an event that arrives two seconds late, and one for the fragment that is not complete. */
const prerollBounds = { length: 8_000_000, bytes: 48 * 1024 * 1024 };
/** Bytes that may wait for a slow disk: a whole pre-roll and more. */
const queueLimitBytes = 64 * 1024 * 1024;

/** As far ahead as anybody asks, in microseconds. */
const maxUntilUs = 86_400_000_000;

/** One recording, from its decision on. What is done to its file happens later, in order. */
interface ActiveRecording {
  readonly layout: Layout;
  /** Media times in microseconds: its beginning, and the ends of what was accepted and what was written. */
  readonly startUs: number;
  acceptedUs: number;
  writtenUs: number;
  file?: RecordingFile;
  /** Nothing more is accepted: the disk is behind. */
  full: boolean;
  /** Nothing more is written: the disk has failed. */
  failed: boolean;
  progress?: RecordingProgress;
  /** Why it ends early, if it does. */
  lossReason: string;
}

/**
 * Decides which fragments are recorded, and writes them without ever making the stream wait.
 *
 * Recordings begin and end at key frames, so the next one takes up where the last one ended, with no picture lost
 * and none twice. When the disk fails or is too slow, that is logged once, and each further key frame is a new
 * attempt. So it is when a recording is wanted after the last group became larger than the pre-roll may hold.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #preroll = new Preroll(prerollBounds);
  #until = 0;
  /** A recording was wanted while nothing could begin one; it begins at the next key frame, however late that is. */
  #isOwed = false;
  /** The end of what came last, in media time. */
  #latestUs = 0;
  #active: ActiveRecording | undefined;
  #work: Promise<void> = Promise.resolve();
  #queued = 0;
  #reported: string | null = null;
  /** Where in media time the last loss began that has not been made good. */
  #lostSince: number | undefined;
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Bytes that it holds in memory. */
  get bytes(): number {
    return this.#preroll.bytes + this.#queued;
  }

  /** Records until then at least, Unix time in microseconds, or for a day. A time that has passed changes nothing. */
  recordUntil(until: number): void {
    this.#until = Math.max(this.#until, until);
    if (!this.#active && this.#wanted(nowUs())) this.#begin();
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

  /** Finishes the recording, if there is one, and resolves when it is on disk. Nothing is recorded after. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#active) this.#finish(this.#active);
    await this.#work;
  }

  #wanted(time: number): boolean {
    // A time further ahead was requested before the clock was set back.
    this.#until = Math.min(this.#until, nowUs() + maxUntilUs);
    return this.#options.alwaysRecord || time < this.#until;
  }

  #isOver(active: ActiveRecording, next: TimedFragment): boolean {
    const isLong = next.startUs - active.startUs >= this.#options.videoLength * 1000;
    return (
      active.full || active.failed || isLong || next.layout !== active.layout || !this.#wanted(next.time)
    );
  }

  #begin(): void {
    // Until the disk has caught up, the pre-roll goes on holding what it can.
    if (this.#closed || this.#queued > queueLimitBytes / 2) return;
    const [first, ...others] = this.#preroll.take();
    if (!first) {
      if (this.#preroll.isBroken) this.#owe();
      return;
    }
    this.#isOwed = false;
    const { layout, startUs } = first;
    // Another layout begins another file.
    const change = others.findIndex((fragment) => fragment.layout !== layout);
    const own = [first, ...(change < 0 ? others : others.slice(0, change))] as const;
    const times = { startUs, acceptedUs: startUs, writtenUs: startUs };
    const active: ActiveRecording = { layout, ...times, full: false, failed: false, lossReason: '' };
    this.#active = active;
    this.#enqueue(active, own, async () => {
      const { monitorID, onReport } = this.#options;
      active.file = await RecordingFile.create(this.#options, own);
      const recording = { id: active.file.id, monitorID, start: first.time, streams: streamsOf(layout) };
      active.progress = new RecordingProgress(recording, onReport);
      this.#begun(active, active.file.id);
    });
    for (const fragment of others.slice(own.length - 1)) this.push(fragment);
  }

  #continue(active: ActiveRecording, fragment: TimedFragment): void {
    if (active.full || active.failed) return;
    if (this.#queued > queueLimitBytes) {
      active.full = true;
      active.lossReason = 'the disk is too slow';
      this.#lost(active.acceptedUs, active.lossReason);
    } else {
      this.#enqueue(active, [fragment], async () => active.file?.append([fragment]));
    }
  }

  #enqueue(
    active: ActiveRecording,
    fragments: readonly [TimedFragment, ...TimedFragment[]],
    write: () => Promise<void>,
  ): void {
    const size = fragments.reduce((sum, { bytes }) => sum + bytes, 0);
    const last = fragments.at(-1) ?? fragments[0];
    const end = last.startUs + last.lengthUs;
    active.acceptedUs = end;
    this.#queued += size;
    this.#work = this.#work.then(async () => {
      try {
        if (active.failed) return;
        await write();
        active.writtenUs = end;
        active.progress?.wrote(last.time + last.lengthUs, active.file?.bytes ?? 0);
      } catch (error) {
        active.failed = true;
        active.lossReason = reasonOf(error as Error);
        this.#lost(active.writtenUs, active.lossReason);
        this.#report(null);
      } finally {
        this.#queued -= size;
      }
    });
  }

  #finish(active: ActiveRecording): void {
    this.#active = undefined;
    const finished = this.#work.then(async () => {
      if (!active.file) return;
      try {
        await active.file.close();
        this.#options.log.info(`recording saved: ${active.file.id}`, this.#options.monitorID);
      } catch (error) {
        active.lossReason ||= reasonOf(error as Error);
        this.#lost(active.writtenUs, active.lossReason);
      }
      active.progress?.end(active.lossReason);
      // Where a recording was cut, what waits behind it is the next one.
      if (this.#work === finished) this.#report(null);
    });
    this.#work = finished;
  }

  #begun({ startUs }: ActiveRecording, id: string): void {
    const { log, monitorID } = this.#options;
    log.info(`starting recording: ${id}`, monitorID);
    this.#report(id);
    if (this.#lostSince === undefined) return;
    const seconds = ((startUs - this.#lostSince) / 1e6).toFixed(1);
    log.warning(`recording again, ${seconds} s were lost`, monitorID);
    this.#lostSince = undefined;
    this.#options.onTrouble(null);
  }

  #owe(): void {
    this.#isOwed = true;
    const why = 'the last key frame is too long ago, recording begins with the next one';
    this.#lost(this.#latestUs, why, 'warning');
  }

  /** One entry for each time of trouble, however many attempts it takes to end it. */
  #lost(since: number, why: string, level: 'error' | 'warning' = 'error'): void {
    if (this.#lostSince !== undefined) return;
    this.#lostSince = since;
    const text = `cannot record: ${why}`;
    this.#options.log[level](text, this.#options.monitorID);
    this.#options.onTrouble(text);
  }

  #report(file: string | null): void {
    if (file === this.#reported) return;
    this.#reported = file;
    this.#options.onRecording(file);
  }
}

function reasonOf({ message, code }: NodeJS.ErrnoException): string {
  return code === 'ENOSPC' ? 'no space left on the disk' : message;
}
