import { StoreError } from '../../base/store-error.ts';

/** An answer that leaves piece by piece, as fast as its client takes it. */
export interface LogDownload {
  /**
   * @param signal ends it.
   * @returns the next piece, undefined behind the last one.
   */
  next(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Whether or not it was read to its end. */
  close(): Promise<void>;
}

const maxOpen = 8;

/** The downloads that are under way, by number. */
export class LogDownloads {
  readonly #open = new Map<number, LogDownload | undefined>();
  #count = 0;

  /**
   * @param begin makes it.
   * @returns its number.
   * @throws {StoreError} `conflict` when too many are under way; what `begin` throws.
   */
  async open(begin: () => Promise<LogDownload>): Promise<number> {
    if (this.#open.size >= maxOpen) {
      throw new StoreError('conflict', `${maxOpen} downloads are under way; try again`);
    }
    this.#count += 1;
    const number = this.#count;
    this.#open.set(number, undefined);
    try {
      this.#open.set(number, await begin());
      return number;
    } catch (error) {
      this.#open.delete(number);
      throw error;
    }
  }

  /** @returns the next piece, undefined behind the last one. @throws {StoreError} `io` when it is not under way. */
  async read(number: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const download = this.#open.get(number);
    if (!download) throw new StoreError('io', 'the download was interrupted');
    return download.next(signal);
  }

  async close(number: number): Promise<void> {
    const download = this.#open.get(number);
    this.#open.delete(number);
    await download?.close();
  }
}
