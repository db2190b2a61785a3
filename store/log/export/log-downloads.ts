import { StoreError } from '../../base/store-error.ts';

/** A response sent in chunks, as fast as its client reads. */
export interface LogDownload {
  /** @returns the next chunk; undefined after the last one. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Ends the download, whether or not it was read to its end. */
  close(): Promise<void>;
}

const maxOpen = 8;

/** The running downloads, by number. */
export class LogDownloads {
  readonly #open = new Map<number, LogDownload | undefined>();
  #count = 0;

  /**
   * @param begin creates the download.
   * @returns the download's number.
   * @throws {StoreError} `busy` if too many are running; errors of `begin`.
   */
  async open(begin: () => Promise<LogDownload>): Promise<number> {
    if (this.#open.size >= maxOpen) {
      throw new StoreError('busy', `${maxOpen} downloads are under way; try again`);
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

  /** @returns the next chunk; undefined after the last one. @throws {StoreError} `io` if the download is not running. */
  async read(number: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const download = this.#open.get(number);
    if (!download) throw new StoreError('io', 'the download was interrupted');
    return download.next();
  }

  async close(number: number): Promise<void> {
    const download = this.#open.get(number);
    this.#open.delete(number);
    await download?.close();
  }
}
