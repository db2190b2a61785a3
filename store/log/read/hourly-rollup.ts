import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { hourUs } from './stats-buckets.ts';

/** The table is first filled so many hours at a time, so that no entry waits for long. */
const stride = 24 * hourUs;

/** From the first (included) to the second (not included), Unix microseconds, both on the hour. */
export interface HourRange {
  readonly from: number;
  readonly to: number;
}

/**
 * How many entries of each kind there are in each hour that is over: the table `hourly`. Times only grow, so an hour
 * is counted once, when the first entry behind it has been stored. What is not (yet) counted is found in the log itself,
 * which makes it right at every moment, whatever is interrupted.
 */
export class HourlyRollup {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;
  /** When the hour of the newest entry began. */
  #current = 0;
  #counting: Promise<void> | undefined;

  /** @param mutex of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  /** An entry of this time was stored: counts the hours that are over, if there are some. */
  async advance(newest: number): Promise<void> {
    if (newest < this.#current + hourUs) return;
    this.#current = newest - (newest % hourUs);
    await this.count();
  }

  /** Counts the hours that are over. What fails is done with the next ones. */
  count(): Promise<void> {
    this.#counting ??= this.#countAll()
      .catch(() => {})
      .finally(() => {
        this.#counting = undefined;
      });
    return this.#counting;
  }

  /**
   * Forgets the hours that begin before a time. To be called before entries older than that are deleted, in the same
   * turn.
   */
  async forget(before: number): Promise<void> {
    await this.#connection.run('DELETE FROM hourly WHERE time < $1', [BigInt(before)], [BIGINT]);
  }

  async #countAll(): Promise<void> {
    while (await this.#mutex.runExclusive(() => this.#countSome()));
  }

  /** @returns whether there may be more. */
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

/** Which hours are counted without a gap. In a transaction, as long as that lasts. */
export async function rolledUpHours(connection: DuckDBConnection): Promise<HourRange | undefined> {
  const found = await connection.runAndReadAll('SELECT min(time), max(time) FROM hourly');
  const [from, last] = found.getRows()[0] ?? [];
  if (typeof from !== 'bigint' || typeof last !== 'bigint') return undefined;
  return { from: Number(from), to: Number(last) + hourUs };
}
