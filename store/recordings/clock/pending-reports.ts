import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, syncFolder, writeAtomically } from '../../../bus/base/files.ts';
import { RecordingReport } from '../../../bus/messages.ts';
import { compileValidator } from '../../base/validator.ts';

const fileName = 'clock-reports';
const check = compileValidator(RecordingReport);

/** The report of a recording that has another name now. */
export type RenameReport = RecordingReport & { readonly formerID: string };

/**
 * Reports of recordings that get their true times, in a file of the storage folder from before anything of them is changed until
 * the bus has them. A recorder that is killed meanwhile leaves them to the next one; otherwise nobody would know which name a
 * recording had, and its events would keep the times of the wrong clock.
 */
export class PendingReports {
  readonly #storageDir: string;
  readonly #file: string;
  readonly #reports: Map<string, RenameReport>;

  private constructor(storageDir: string, reports: readonly RenameReport[]) {
    this.#storageDir = storageDir;
    this.#file = join(storageDir, fileName);
    this.#reports = new Map(reports.map((report) => [report.formerID, report]));
  }

  /** With what the last run has left. */
  static async open(storageDir: string): Promise<PendingReports> {
    const text = await readFile(join(storageDir, fileName), 'utf8').catch(() => '');
    return new PendingReports(storageDir, text.split('\n').flatMap(parse));
  }

  /** In the order in which they were added. */
  get all(): readonly RenameReport[] {
    return [...this.#reports.values()];
  }

  /** It survives a power cut. On a full disk it is in memory alone: a kill during this correction is then not made good. */
  async add(report: RenameReport): Promise<void> {
    this.#reports.set(report.formerID, report);
    await this.#append(JSON.stringify(report)).catch(() => {});
  }

  /** If the file cannot be written, the next recorder publishes once more what the bus has, which changes nothing. */
  async remove(formerIDs: Iterable<string>): Promise<void> {
    const before = this.#reports.size;
    for (const id of formerIDs) this.#reports.delete(id);
    if (this.#reports.size === before) return;
    const lines = this.all.map((report) => JSON.stringify(report));
    const change =
      lines.length === 0 ? removeFile(this.#file) : writeAtomically(this.#file, lines.join('\n'));
    await change.catch(() => {});
  }

  async #append(line: string): Promise<void> {
    const file = await open(this.#file, 'a', 0o640);
    try {
      // The break comes first: half a line, which a kill has left, spoils no other one.
      await file.appendFile(`\n${line}`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await syncFolder(this.#storageDir);
  }
}

/** Half a line is none. */
function parse(line: string): RenameReport[] {
  let report: unknown;
  try {
    report = JSON.parse(line);
  } catch {
    return [];
  }
  return isReport(report) && isRename(report) ? [report] : [];
}

const isReport = (value: unknown): value is RecordingReport => check(value) === undefined;
export const isRename = (report: RecordingReport): report is RenameReport => report.formerID !== undefined;
