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

/** One recording, from its decision on. */
export interface QueuedRecording {
  readonly layout: Layout;
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
  begin(fragments: Fragments): QueuedRecording {
    const [{ layout, startUs, time }] = fragments;
    const times = { startUs, acceptedUs: startUs, writtenUs: startUs };
    const recording: QueuedRecording = { layout, ...times, isFailed: false, lossReason: '' };
    this.#add(recording, fragments, async () => {
      const { monitorID, onReport, log } = this.#options;
      const file = await RecordingFile.create(this.#options, fragments);
      const facts = { id: file.id, monitorID, start: time, streams: streamsOf(layout) };
      recording.file = file;
      recording.progress = new RecordingProgress(facts, onReport);
      log.info(`starting recording: ${file.id}`, monitorID);
      this.#report(file.id);
      this.#loss.end(startUs);
    });
    return recording;
  }

  append(recording: QueuedRecording, fragment: TimedFragment): void {
    this.#add(recording, [fragment], async () => recording.file?.append([fragment]));
  }

  finish(recording: QueuedRecording): void {
    const finished = this.#work.then(async () => {
      const { file, progress } = recording;
      if (!file) return;
      try {
        await file.close();
        this.#options.log.info(`recording saved: ${file.id}`, this.#options.monitorID);
      } catch (error) {
        recording.lossReason ||= reasonOf(error as Error);
        this.#loss.begin(recording.writtenUs, recording.lossReason);
      }
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
    const endUs = last.startUs + last.lengthUs;
    recording.acceptedUs = endUs;
    this.#bytes += size;
    this.#work = this.#work.then(async () => {
      try {
        if (recording.isFailed) return;
        await write();
        recording.writtenUs = endUs;
        recording.progress?.wrote(last.time + last.lengthUs, recording.file?.bytes ?? 0);
      } catch (error) {
        recording.isFailed = true;
        recording.lossReason = reasonOf(error as Error);
        this.#loss.begin(recording.writtenUs, recording.lossReason);
        this.#report(null);
      } finally {
        this.#bytes -= size;
      }
    });
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
