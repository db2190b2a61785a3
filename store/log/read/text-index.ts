import { BIGINT, BIT, DuckDBBitValue, type DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { Trigrams } from './trigrams.ts';

/** Entries of a slice. Fewer of them make a search more exact, and the slices larger in all. */
const sliceSize = 16_384;

/**
 * What a search for a text may skip: for each slice of the log, the table `slice` knows which short pieces of text stand
 * in its messages. A slice is made when its last entry has been stored. What lies in none is searched as it is, so it is
 * no harm when one is made late, or when it still tells of entries that have been deleted.
 */
export class TextIndex {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;
  /** Entries that no slice holds, as far as is known. */
  #waiting = sliceSize;
  #making: Promise<void> | undefined;

  /** @param mutex of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  /** Makes slices of what has been stored. @param count entries since the last time. */
  advance(count: number): Promise<void> {
    this.#waiting += count;
    if (this.#waiting >= sliceSize) {
      // What fails now is done with the next entries.
      this.#making ??= this.#make()
        .catch(() => {})
        .finally(() => {
          this.#making = undefined;
        });
    }
    return this.#making ?? Promise.resolve();
  }

  /** Forgets the slices that end before a time. */
  async forget(before: number): Promise<void> {
    await this.#connection.run('DELETE FROM slice WHERE last < $1', [BigInt(before)], [BIGINT]);
  }

  async #make(): Promise<void> {
    while (await this.#mutex.runExclusive(() => this.#makeOne()));
  }

  /** @returns whether there may be another one. */
  async #makeOne(): Promise<boolean> {
    const ends = await this.#connection.runAndReadAll('SELECT max(last), max(number) FROM slice');
    const [last, number] = ends.getRows()[0] ?? [];
    // Without an order, which would look at all that follows: rows come as they were stored, that is by time.
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
