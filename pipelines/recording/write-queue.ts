import type { Log } from '../../bus/log.ts';
import type { RecordingReport } from '../../bus/messages.ts';
import { type Layout, streamsOf } from '../mp4/init-segment.ts';
import type { TimedFragment } from './preroll.ts';
import { RecordingFile, type RecordingPlace } from './recording-file.ts';
import type { RecordingLoss } from './recording-loss.ts';
import { RecordingProgress } from './recording-progress.ts';

export interface WriteQueueOptions extends RecordingPlace {
  readonly log: Log;
  /** Gets the id of each recording that has appeared on disk, and null when none is written any more. */
  readonly onRecording: (file: string | null) => void;
  /** Gets what is on disk of each recording, from its first fragment to its end. */
  readonly onReport: (report: RecordingReport) => void;
}

/** Bytes that may wait for a slow disk: a whole pre-roll and more. */
const maxBytes = 64 * 1024 * 1024;
/**
 * Milliseconds after its arrival at which a fragment is flushed to the disk, together with those that came since: with a disk
 * that takes up to half a second for that, it is there within a second.
 */
const syncDelayMs = 400;

/** One recording, from its decision on. */
export interface QueuedRecording {
  readonly layout: Layout;
  /** Unix time minus the fragments' times, in microseconds: the same from its beginning to its end. */
  readonly offsetUs: number;
  /** Media times in microseconds: its beginning, and the ends of what was accepted and what was written. */
  readonly startUs: number;
  acceptedUs: number;
  writtenUs: number;
  file?: RecordingFile;
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

/** Fragments of a recording that the kernel has, and the disk perhaps not. */
interface UnsyncedFragments {
  readonly recording: QueuedRecording;
  /** When the oldest of them came, by the monotonic clock. */
  readonly sinceMs: number;
  newest: TimedFragment;
  readonly timer: NodeJS.Timeout;
}

/** Writes recordings in the order of their decisions, while the stream goes on. */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #loss: RecordingLoss;
  #work: Promise<void> = Promise.resolve();
  #bytes = 0;
  /** Fragments that wait to be written. */
  #waiting = 0;
  /** What was written last, but not flushed. */
  #unsynced: UnsyncedFragments | undefined;
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

  /**
   * @param fragments of one layout, which the first begins with a key frame
   * @param offsetUs Unix time minus their times, in microseconds
   */
  begin(fragments: Fragments, offsetUs: number): QueuedRecording {
    const [{ layout, startUs, time }] = fragments;
    const times = { startUs, acceptedUs: startUs, writtenUs: startUs };
    const recording: QueuedRecording = { layout, offsetUs, ...times, isFailed: false, lossReason: '' };
    this.#add(recording, fragments, async () => {
      const { monitorID, onReport, log } = this.#options;
      const start = Math.round(time + offsetUs);
      const file = await RecordingFile.create(this.#options, fragments, offsetUs);
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
    const cameMs = performance.now();
    this.#add(recording, [fragment], async () => {
      await recording.file?.append([fragment]);
      const unsynced = this.#unsynced ?? this.#expectSync(recording, fragment, cameMs);
      unsynced.newest = fragment;
      const isDue = performance.now() - unsynced.sinceMs >= syncDelayMs;
      // Those that came while the disk was slow are flushed together.
      if (isDue && this.#waiting === 0) await this.#sync();
    });
  }

  finish(recording: QueuedRecording): void {
    const finished = this.#work.then(async () => {
      const { file, progress } = recording;
      if (!file) return;
      const unsynced = this.#takeUnsynced();
      try {
        await file.close();
        this.#options.log.info(`recording saved: ${file.id}`, this.#options.monitorID);
      } catch (error) {
        recording.lossReason ||= reasonOf(error as Error);
        this.#loss.begin(recording.writtenUs, recording.lossReason);
      }
      // Also if the disk failed: the file has it.
      if (unsynced) synced(recording, unsynced.newest);
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

  #add(recording: QueuedRecording, fragments: Fragments, write: () => Promise<void>): void {
    const size = fragments.reduce((sum, { bytes }) => sum + bytes, 0);
    const last = fragments.at(-1) ?? fragments[0];
    recording.acceptedUs = last.startUs + last.lengthUs;
    this.#bytes += size;
    this.#waiting += 1;
    this.#run(recording, async () => {
      this.#waiting -= 1;
      try {
        if (!recording.isFailed) await write();
      } finally {
        this.#bytes -= size;
      }
    });
  }

  /** Does something for a recording after all that waits. If it fails, nothing more of the recording is written. */
  #run(recording: QueuedRecording, work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      try {
        await work();
      } catch (error) {
        recording.isFailed = true;
        recording.lossReason = reasonOf(error as Error);
        this.#loss.begin(recording.writtenUs, recording.lossReason);
        this.#report(null);
      }
    });
  }

  #expectSync(recording: QueuedRecording, newest: TimedFragment, sinceMs: number): UnsyncedFragments {
    const dueMs = Math.max(0, sinceMs + syncDelayMs - performance.now());
    const timer = setTimeout(() => this.#run(recording, () => this.#sync()), dueMs);
    this.#unsynced = { recording, sinceMs, newest, timer };
    return this.#unsynced;
  }

  async #sync(): Promise<void> {
    const unsynced = this.#unsynced;
    if (!unsynced) return;
    clearTimeout(unsynced.timer);
    await unsynced.recording.file?.sync();
    this.#unsynced = undefined;
    synced(unsynced.recording, unsynced.newest);
  }

  #takeUnsynced(): UnsyncedFragments | undefined {
    const unsynced = this.#unsynced;
    clearTimeout(unsynced?.timer);
    this.#unsynced = undefined;
    return unsynced;
  }

  #report(file: string | null): void {
    if (file === this.#reported) return;
    this.#reported = file;
    this.#options.onRecording(file);
  }
}

/** All of a recording up to this fragment is on disk. */
function synced(recording: QueuedRecording, { startUs, lengthUs, endTime }: TimedFragment): void {
  recording.writtenUs = startUs + lengthUs;
  recording.progress?.wrote(endTime + recording.offsetUs, recording.file?.bytes ?? 0);
}

function reasonOf({ message, code = '' }: NodeJS.ErrnoException): string {
  return reasons[code] ?? message;
}
