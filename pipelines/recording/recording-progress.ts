import type { RecordingReport, RecordingState } from '../../bus/messages.ts';

/** After a kill the end of a recording is known as exactly as this, in milliseconds. */
const growingIntervalMs = 5000;
const maxReasonLength = 256;

/** Reports what is on disk of one recording. */
export class RecordingProgress {
  readonly #recording: Pick<RecordingReport, 'id' | 'monitorID' | 'start' | 'streams'>;
  readonly #onReport: (report: RecordingReport) => void;
  #end: number;
  #bytes = 0;
  /** Of the monotonic clock, in milliseconds. */
  #reportedAt: number | undefined;

  constructor(
    recording: Pick<RecordingReport, 'id' | 'monitorID' | 'start' | 'streams'>,
    onReport: (report: RecordingReport) => void,
  ) {
    this.#recording = recording;
    this.#onReport = onReport;
    this.#end = recording.start;
  }

  /** @param endUs when the last frame that is on disk ended. @param bytes the size of the file. */
  wrote(endUs: number, bytes: number): void {
    this.#end = Math.max(this.#end, Math.round(endUs));
    this.#bytes = bytes;
    if (this.#reportedAt === undefined) this.#report('started');
    else if (performance.now() - this.#reportedAt >= growingIntervalMs) this.#report('growing');
  }

  /** The file is closed. @param lossReason why it ended early; empty when it is complete. */
  end(lossReason: string): void {
    this.#report(lossReason === '' ? 'saved' : 'lost', lossReason);
  }

  #report(state: RecordingState, reason = ''): void {
    this.#reportedAt = performance.now();
    const [end, bytes] = [this.#end, this.#bytes];
    this.#onReport({ ...this.#recording, state, end, bytes, reason: reason.slice(0, maxReasonLength) });
  }
}
