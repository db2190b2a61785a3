import type { RecordingReport } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { recordings } from '../../../bus/subjects.ts';
import type { RecordingFiles } from '../files/recording-files.ts';
import { firstFragment } from './corrected-recording.ts';
import { isRename, type PendingReports, type RenameReport } from './pending-reports.ts';

interface RenameReportsOptions {
  readonly bus: Bus;
  readonly files: RecordingFiles;
  readonly pending: PendingReports;
  /** Is called for each recording that has another name now. */
  readonly onRenamed: (id: string) => void;
}

const maxWaiting = 10_000;
const flushDeadlineMs = 30_000;
/** A time that was stored is the same up to its rounding. Microseconds. */
const sameTimeUs = 1000;

/** Says on the bus which recordings have other names now, also of those whose correction was cut off. */
export class RenameReports {
  readonly #options: RenameReportsOptions;
  readonly #outbox = new Outbox(maxWaiting, () => {});
  /** Former ids of which nothing more is to be said than what the outbox has. */
  readonly #done = new Set<string>();

  constructor(options: RenameReportsOptions) {
    this.#options = options;
    this.#outbox.attach(options.bus);
  }

  /** Before anything of the recording is changed. */
  async prepare(report: RecordingReport): Promise<void> {
    if (!isRename(report)) return;
    this.#done.delete(report.formerID);
    await this.#options.pending.add(report);
  }

  /** Once it has its new name. */
  publish(report: RecordingReport): void {
    if (!isRename(report)) return;
    this.#outbox.add(recordings, [report.monitorID], report);
    this.#done.add(report.formerID);
    this.#options.onRenamed(report.formerID);
  }

  /** Goes on with what was prepared and not published. @returns the errors of those that stay so. */
  async finish(): Promise<readonly Error[]> {
    const failures: Error[] = [];
    for (const report of this.#options.pending.all) {
      if (this.#done.has(report.formerID)) continue;
      await this.#finish(report).catch((error: Error) => void failures.push(error));
    }
    await this.settle();
    return failures;
  }

  async #finish(report: RenameReport): Promise<void> {
    const { files } = this.#options;
    const { id, formerID, start } = report;
    const former = await firstFragment(files, formerID);
    // It has its true times, and not yet its new name.
    const isCorrected = former?.timeUs !== undefined && Math.abs(former.timeUs - start) < sameTimeUs;
    if (isCorrected && !(await files.has(id))) await files.rename(formerID, id);
    // Others were not changed, or not to the end: they are still wrong, and are corrected anew.
    if ((await files.has(id)) && !(await files.has(formerID))) this.publish(report);
    else this.#done.add(formerID);
  }

  /** Waits for the bus; what it has is pending no more. */
  async settle(): Promise<void> {
    const done = [...this.#done];
    if (done.length === 0 || !(await this.#outbox.flush(flushDeadlineMs))) return;
    await this.#options.pending.remove(done);
    for (const id of done) this.#done.delete(id);
  }
}
