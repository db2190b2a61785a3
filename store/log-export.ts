import type { LogEntry } from '../bus/messages.ts';
import { StoreError } from './errors.ts';
import { type Encoder, type ExportFormat, encoder } from './log-encoding.ts';
import type { LogFilter } from './log-filter.ts';

const pageSize = 10_000;
const mostOpen = 8;

interface OpenExport {
  readonly encoder: Encoder;
  readonly filter: LogFilter;
  /** The time of the last entry that was given. */
  last: number;
  over: boolean;
}

type ReadPage = (filter: LogFilter, oldestFirst: boolean) => Promise<LogEntry[]>;

/**
 * The exports that are under way. Each is read page by page, as fast as its client takes it, and holds neither a
 * transaction nor more than a page.
 */
export class LogExports {
  readonly #read: ReadPage;
  readonly #open = new Map<number, OpenExport>();
  #count = 0;

  constructor(read: ReadPage) {
    this.#read = read;
  }

  /**
   * Begins with the oldest entry and ends with what is the newest one now.
   *
   * @returns the export's number.
   * @throws {StoreError} `conflict` when too many are under way.
   */
  async open(filter: LogFilter, format: ExportFormat): Promise<number> {
    if (this.#open.size >= mostOpen) {
      throw new StoreError('conflict', `${mostOpen} exports are under way; try again`);
    }
    this.#count += 1;
    const number = this.#count;
    const { time = Number.MAX_SAFE_INTEGER, after = -1 } = filter;
    const whole = { encoder: encoder(format), filter, last: after, over: false };
    this.#open.set(number, whole);
    try {
      const [newest] = await this.#read({ limit: 1 }, false);
      const end = Math.min(time, (newest?.time ?? 0) + 1);
      this.#open.set(number, { ...whole, filter: { ...filter, time: end, limit: pageSize } });
      return number;
    } catch (error) {
      this.close(number);
      throw error;
    }
  }

  /** @returns the next piece, undefined behind the last one. @throws {StoreError} `io` when it is not under way. */
  async read(number: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const open = this.#open.get(number);
    if (!open) throw new StoreError('io', 'the export was interrupted');
    if (open.over) return undefined;
    const page = await this.#read({ ...open.filter, after: open.last }, true);
    open.last = page.at(-1)?.time ?? open.last;
    open.over = page.length < pageSize;
    const piece = page.length > 0 ? open.encoder.encode(page) : new Uint8Array();
    return open.over ? joined(piece, open.encoder.end()) : piece;
  }

  close(number: number): void {
    this.#open.delete(number);
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
