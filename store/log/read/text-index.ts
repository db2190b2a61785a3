import { BIGINT, BIT, DuckDBBitValue, type DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { Trigrams } from './trigrams.ts';

/** Entries per slice. Fewer make a search more precise, but the index larger. */
const sliceSize = 16_384;

/**
 * The index for text searches: for each slice of the log, the table `slice` holds the set of trigrams in its messages. A
 * slice is made when its last entry has been stored. Entries outside all slices are searched directly, so a slice may be
 * made late, and may include entries that have been deleted since.
 */
export class TextIndex {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;
  /** Estimated number of entries outside all slices. */
  #waiting = sliceSize;
  #making: Promise<void> | undefined;

  /** @param mutex held by every writer on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  /** Makes slices of the stored entries. @param count entries stored since the last call. */
  advance(count: number): Promise<void> {
    this.#waiting += count;
    if (this.#waiting >= sliceSize) {
      // A slice that fails now is made with the next entries.
      this.#making ??= this.#make()
        .catch(() => {})
        .finally(() => {
          this.#making = undefined;
        });
    }
    return this.#making ?? Promise.resolve();
  }

  /** Removes the slices that end before a time. */
  async forget(before: number): Promise<void> {
    await this.#connection.run('DELETE FROM slice WHERE last < $1', [BigInt(before)], [BIGINT]);
  }

  /** Removes the slices that end after a time. Must be called before entries newer than that are moved, or get such times. */
  async forgetAfter(time: number): Promise<void> {
    this.#waiting = sliceSize;
    await this.#connection.run('DELETE FROM slice WHERE last > $1', [BigInt(time)], [BIGINT]);
  }

  async #make(): Promise<void> {
    while (await this.#mutex.runExclusive(() => this.#makeOne()));
  }

  /** @returns whether there may be another slice to make. */
  async #makeOne(): Promise<boolean> {
    const ends = await this.#connection.runAndReadAll('SELECT max(last), max(number) FROM slice');
    const [last, number] = ends.getRows()[0] ?? [];
    // No ORDER BY, which would read all later rows: rows come in the order in which they were stored, which is by time.
    const found = await this.#connection.runAndReadAll(
      `SELECT time, msg FROM log WHERE time > $1 LIMIT ${sliceSize}`,
      [typeof last === 'bigint' ? last : -1n],
      [BIGINT],
    );
    const [times = [], messages = []] = found.getColumns() as [bigint[], string[]];
    this.#waiting = times.length;
    if (times.length < sliceSize) return false;
    const grams = new Trigrams();
    for (const message of messages) grams.add(message);
    await this.#connection.run(
      'INSERT INTO slice VALUES ($1, $2, $3, $4)',
      [
        typeof number === 'bigint' ? number + 1n : 0n,
        times[0] ?? 0n,
        times.at(-1) ?? 0n,
        new DuckDBBitValue(grams.data),
      ],
      [BIGINT, BIGINT, BIGINT, BIT],
    );
    return true;
  }
}
