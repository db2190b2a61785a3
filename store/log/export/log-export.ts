import type { LogFilter, MachineEntry } from '../read/log-filter.ts';
import { type ExportEncoder, exportEncoder } from './export-encoding.ts';
import type { ExportFormat } from './export-format.ts';
import type { LogDownload } from './log-downloads.ts';

const pageSize = 10_000;

export type ReadPage = (filter: LogFilter, oldestFirst: boolean) => Promise<MachineEntry[]>;

/**
 * The matching entries, oldest first, as one file. The log is read page by page, without a transaction and with at most one
 * page in memory.
 */
export class LogExport implements LogDownload {
  readonly #read: ReadPage;
  readonly #filter: LogFilter;
  readonly #encoder: ExportEncoder;
  /** Time of the last entry returned. */
  #last: number;
  #over = false;

  private constructor(read: ReadPage, filter: LogFilter, format: ExportFormat) {
    this.#read = read;
    this.#filter = { ...filter, limit: pageSize };
    this.#encoder = exportEncoder(format);
    this.#last = filter.after ?? -1;
  }

  /** Begins with the oldest entry and ends with the newest one at the time of the call. */
  static async open(read: ReadPage, filter: LogFilter, format: ExportFormat): Promise<LogExport> {
    const { time = Number.MAX_SAFE_INTEGER } = filter;
    const [newest] = await read({ limit: 1 }, false);
    const end = Math.min(time, (newest?.time ?? 0) + 1);
    return new LogExport(read, { ...filter, time: end }, format);
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#over) return undefined;
    const page = await this.#read({ ...this.#filter, after: this.#last }, true);
    this.#last = page.at(-1)?.time ?? this.#last;
    this.#over = page.length < pageSize;
    const piece = page.length > 0 ? this.#encoder.encode(page) : new Uint8Array();
    return this.#over ? joined(piece, this.#encoder.end()) : piece;
  }

  async close(): Promise<void> {
    this.#over = true;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
