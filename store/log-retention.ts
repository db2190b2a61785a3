import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import type { Turns } from './turns.ts';

/** Lets the oldest go. */
export class LogRetention {
  readonly #connection: DuckDBConnection;
  readonly #turns: Turns;
  readonly #forget: (before: number) => Promise<void>;

  /**
   * @param turns of everything that writes on this connection.
   * @param forget lets go what is known of entries older than this, before they are deleted.
   */
  constructor(connection: DuckDBConnection, turns: Turns, forget: (before: number) => Promise<void>) {
    this.#connection = connection;
    this.#turns = turns;
    this.#forget = forget;
  }

  /**
   * Deletes entries and events that are older than `oldest` (Unix microseconds), then the oldest entries until the
   * rest takes at most `maxBytes`. The file does not shrink, its space is used again.
   */
  prune(oldest: number, maxBytes: number): Promise<void> {
    return this.#turns.run(async () => {
      await this.#delete('DELETE FROM event WHERE time < $1', oldest);
      await this.#deleteEntries(oldest);
      // Each round drops a tenth; what is left after ten is dropped in the next hour.
      for (let round = 0; round < 10 && (await this.#size()) > maxBytes; round += 1) {
        const count = await this.#number('SELECT count(*) FROM log');
        if (count === 0) return;
        const tenth = `SELECT max(time) FROM (SELECT time FROM log ORDER BY time LIMIT ${Math.ceil(count / 10)})`;
        await this.#deleteEntries((await this.#number(tenth)) + 1);
      }
    });
  }

  async #deleteEntries(before: number): Promise<void> {
    await this.#forget(before);
    await this.#delete('DELETE FROM log WHERE time < $1', before);
  }

  async #delete(sql: string, time: number): Promise<void> {
    await this.#connection.run(sql, [BigInt(time)], [BIGINT]);
    await this.#connection.run('CHECKPOINT');
  }

  async #size(): Promise<number> {
    return this.#number('SELECT used_blocks * block_size FROM pragma_database_size()');
  }

  async #number(sql: string): Promise<number> {
    return Number((await this.#connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
  }
}
