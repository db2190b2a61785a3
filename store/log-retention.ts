import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import type { Turns } from './turns.ts';

/** Lets the oldest go. */
export class LogRetention {
  readonly #connection: DuckDBConnection;
  readonly #turns: Turns;

  /** @param turns of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, turns: Turns) {
    this.#connection = connection;
    this.#turns = turns;
  }

  /**
   * Deletes entries and events that are older than `oldest` (Unix microseconds), then the oldest entries until the
   * rest takes at most `maxBytes`. The file does not shrink, its space is used again.
   */
  prune(oldest: number, maxBytes: number): Promise<void> {
    return this.#turns.run(async () => {
      await this.#delete('DELETE FROM event WHERE time < $1', oldest);
      await this.#delete('DELETE FROM log WHERE time < $1', oldest);
      // Each round drops a tenth; what is left after ten is dropped in the next hour.
      for (let round = 0; round < 10 && (await this.#size()) > maxBytes; round += 1) {
        const count = await this.#number('SELECT count(*) FROM log');
        if (count === 0) return;
        const tenth = `SELECT max(time) FROM (SELECT time FROM log ORDER BY time LIMIT ${Math.ceil(count / 10)})`;
        await this.#delete('DELETE FROM log WHERE time <= $1', await this.#number(tenth));
      }
    });
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
