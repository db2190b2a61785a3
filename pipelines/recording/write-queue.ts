import type { Log } from '../../bus/log.ts';
import type { RecordingReport } from '../../bus/messages.ts';
import { type Layout, streamsOf } from '../mp4/init-segment.ts';
import type { TimedFragment } from './preroll.ts';
import { type RecordedClock, RecordingFile, type RecordingPlace } from './recording-file.ts';
import type { RecordingLoss } from './recording-loss.ts';
import { RecordingProgress } from './recording-progress.ts';

export interface WriteQueueOptions extends RecordingPlace {
  /** How long a fragment may wait for others, which are then written and flushed with it, in milliseconds. */
  readonly maxWaitMs: number;
  readonly log: Log;
  /** Gets the id of each recording that has appeared on disk, and null when none is written any more. */
  readonly onRecording: (file: string | null) => void;
  /** Gets what is on disk of each recording, from its first fragment to its end. */
  readonly onReport: (report: RecordingReport) => void;
}

/** Bytes that may wait for a slow disk: a whole pre-roll and more. */
const maxBytes = 64 * 1024 * 1024;
/** One recording, from its decision on. */
export interface QueuedRecording {
  readonly layout: Layout;
  /** The same from its beginning to its end. */
  readonly clock: RecordedClock;
  /** Media times in microseconds: its beginning, and the ends of what was accepted and what was written. */
  readonly startUs: number;
  acceptedUs: number;
  writtenUs: number;
  file?: RecordingFile;
  /** What is to be written next. */
  waiting?: WaitingFragments | undefined;
  /** The last one that the kernel has, and the disk perhaps not. */
  unsynced?: TimedFragment | undefined;
  progress?: RecordingProgress;
  /** Nothing more is written: the disk has failed. */
  isFailed: boolean;
  /** Why it ends early, if it does. */
  lossReason: string;
}

export type Fragments = readonly [TimedFragment, ...TimedFragment[]];

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EROFS: 'the disk is read-only',
  EIO: 'the disk has an error',
};

/** Those that come while the disk is busy are written together. */
interface WaitingFragments {
  readonly fragments: TimedFragment[];
  readonly timer: NodeJS.Timeout;
  /** Their turn to be written has been asked for. */
  isDue: boolean;
}

/** Writes recordings in the order of their decisions, while the stream goes on. */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #loss: RecordingLoss;
  #work: Promise<void> = Promise.resolve();
  #bytes = 0;
  #reported: string | null = null;

  constructor(options: WriteQueueOptions, loss: RecordingLoss) {
    this.#options = options;
    this.#loss = loss;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The disk is too far behind for another fragment. */
  get isFull(): boolean {
    return this.#bytes > maxBytes;
  }

  /** The disk has caught up so far that another recording may begin. */
  get hasRoom(): boolean {
    return this.#bytes <= maxBytes / 2;
  }

  /** @param fragments of one layout, which the first begins with a key frame */
  begin(fragments: Fragments, clock: RecordedClock): QueuedRecording {
    const [{ layout, startUs, time }] = fragments;
    const times = { startUs, acceptedUs: startUs, writtenUs: startUs };
    const recording: QueuedRecording = { layout, clock, ...times, isFailed: false, lossReason: '' };
    this.#accept(recording, fragments);
    this.#run(recording, fragments, async () => {
      const { monitorID, onReport, log } = this.#options;
      const start = Math.round(time + clock.offsetUs);
      const file = await RecordingFile.create(this.#options, fragments, clock);
      const facts = { id: file.id, monitorID, start, streams: streamsOf(layout) };
      recording.file = file;
      recording.progress = new RecordingProgress(facts, onReport);
      log.info(`starting recording: ${file.id}`, monitorID);
      this.#report(file.id);
      this.#loss.end(startUs);
      synced(recording, fragments.at(-1) ?? fragments[0]);
    });
    return recording;
  }

  append(recording: QueuedRecording, fragment: TimedFragment): void {
    this.#accept(recording, [fragment]);
    if (recording.waiting) {
      recording.waiting.fragments.push(fragment);
      return;
    }
    const timer = setTimeout(() => this.flush(recording), this.#options.maxWaitMs);
    recording.waiting = { fragments: [fragment], timer, isDue: false };
  }

  /** Has the disk take what waits as soon as it can. */
  flush(recording: QueuedRecording): void {
    const { waiting } = recording;
    if (!waiting || waiting.isDue) return;
    waiting.isDue = true;
    clearTimeout(waiting.timer);
    const { fragments } = waiting;
    this.#run(recording, fragments, async () => {
      recording.waiting = undefined;
      await appendTo(recording, fragments);
      await recording.file?.sync();
      recording.unsynced = undefined;
      const [last] = fragments.slice(-1);
      if (last) synced(recording, last);
    });
  }

  finish(recording: QueuedRecording): void {
    this.flush(recording);
    const finished = this.#work.then(async () => {
      const { file, progress, unsynced } = recording;
      if (!file) return;
      try {
        await file.close();
        this.#options.log.info(`recording saved: ${file.id}`, this.#options.monitorID);
      } catch (error) {
        recording.lossReason ||= reasonOf(error as Error);
        this.#loss.begin(recording.writtenUs, recording.lossReason);
      }
      // Also if the disk failed: the file has it.
      if (unsynced) synced(recording, unsynced);
      progress?.end(recording.lossReason);
      // Where a recording was cut, what waits behind it is the next one.
      if (this.#work === finished) this.#report(null);
    });
    this.#work = finished;
  }

  /** Resolves when everything has been written. */
  async idle(): Promise<void> {
    await this.#work;
  }

  #accept(recording: QueuedRecording, fragments: Fragments): void {
    const last = fragments.at(-1) ?? fragments[0];
    recording.acceptedUs = last.startUs + last.lengthUs;
    this.#bytes += bytesOf(fragments);
  }

  /** Writes fragments after all that waits. If it fails, nothing more of the recording is written. */
  #run(recording: QueuedRecording, fragments: readonly TimedFragment[], write: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      try {
        if (!recording.isFailed) await write();
      } catch (error) {
        recording.isFailed = true;
        recording.lossReason = reasonOf(error as Error);
        this.#loss.begin(recording.writtenUs, recording.lossReason);
        this.#report(null);
      } finally {
        this.#bytes -= bytesOf(fragments);
      }
    });
  }

  #report(file: string | null): void {
    if (file === this.#reported) return;
    this.#reported = file;
    this.#options.onRecording(file);
  }
}

/** Where not all of them fit on the disk, the first ones may. */
async function appendTo(recording: QueuedRecording, fragments: readonly TimedFragment[]): Promise<void> {
  const { file } = recording;
  try {
    await file?.append(fragments);
    recording.unsynced = fragments.at(-1);
  } catch (error) {
    if (fragments.length === 1) throw error;
    for (const fragment of fragments) await appendTo(recording, [fragment]);
  }
}

/** All of a recording up to this fragment is on disk. */
function synced(recording: QueuedRecording, { startUs, lengthUs, endTime }: TimedFragment): void {
  recording.writtenUs = startUs + lengthUs;
  recording.progress?.wrote(endTime + recording.clock.offsetUs, recording.file?.bytes ?? 0);
}

function bytesOf(fragments: readonly TimedFragment[]): number {
  return fragments.reduce((sum, { bytes }) => sum + bytes, 0);
}

function reasonOf({ message, code = '' }: NodeJS.ErrnoException): string {
  return reasons[code] ?? message;
}
