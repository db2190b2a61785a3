import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { hourUs } from './stats-buckets.ts';

/** Hours per step when the table is first filled, so that no entry waits for long. */
const stride = 24 * hourUs;

/** From the first (inclusive) to the second (exclusive): Unix time in microseconds, both on the hour. */
export interface HourRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The number of entries of each kind in each past hour: the table `hourly`. Times only grow, so an hour is counted once,
 * when the first entry after it is stored. Hours that are not counted yet are read from the log itself, so the sums are
 * correct at every moment, whatever is interrupted.
 */
export class HourlyRollup {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;
  /** Start of the newest entry's hour. */
  #current = 0;
  #counting: Promise<void> | undefined;

  /** @param mutex held by every writer on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  /** Called after an entry of this time was stored: counts the hours that have ended since, if any. */
  async advance(newest: number): Promise<void> {
    if (newest < this.#current + hourUs) return;
    this.#current = newest - (newest % hourUs);
    await this.count();
  }

  /** Counts the hours that have ended. After a failure they are counted with the next ones. */
  count(): Promise<void> {
    this.#counting ??= this.#countAll()
      .catch(() => {})
      .finally(() => {
        this.#counting = undefined;
      });
    return this.#counting;
  }

  /**
   * Removes the hours that begin before a time. Must be called before entries older than that are deleted, under the same
   * lock.
   */
  async forget(before: number): Promise<void> {
    await this.#connection.run('DELETE FROM hourly WHERE time < $1', [BigInt(before)], [BIGINT]);
  }

  /** Removes the hours that end after a time. Must be called before entries newer than that are moved, or get such times. */
  async forgetAfter(time: number): Promise<void> {
    this.#current = 0;
    await this.#connection.run('DELETE FROM hourly WHERE time > $1', [BigInt(time - hourUs)], [BIGINT]);
  }

  async #countAll(): Promise<void> {
    while (await this.#mutex.runExclusive(() => this.#countSome()));
  }

  /** @returns whether there may be more hours to count. */
  async #countSome(): Promise<boolean> {
    const { to = 0 } = (await rolledUpHours(this.#connection)) ?? {};
    const found = await this.#connection.runAndReadAll(
      `SELECT min(time), max(time) FROM log WHERE time >= ${to}`,
    );
    const [first, newest] = (found.getRows()[0] ?? []).map(Number);
    if (!first || !newest) return false;
    const from = first - (first % hourUs);
    const current = newest - (newest % hourUs);
    const end = Math.min(from + stride, current);
    if (from >= end) return false;
    await this.#connection.run(
      `INSERT INTO hourly
        SELECT time - time % ${hourUs}, level, src, monitorID, count(*)
        FROM log WHERE time >= ${from} AND time < ${end}
        GROUP BY ALL ORDER BY 1`,
    );
    return end < current;
  }
}

/** The range of hours that are counted without a gap. Inside a transaction it is valid until the transaction ends. */
export async function rolledUpHours(connection: DuckDBConnection): Promise<HourRange | undefined> {
  const found = await connection.runAndReadAll('SELECT min(time), max(time) FROM hourly');
  const [from, last] = found.getRows()[0] ?? [];
  if (typeof from !== 'bigint' || typeof last !== 'bigint') return undefined;
  return { from: Number(from), to: Number(last) + hourUs };
}
