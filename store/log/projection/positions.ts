import { setTimeout as sleep } from 'node:timers/promises';
import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import type { PositionName } from '../schema/schema.ts';
import { begin, rollBack } from '../schema/transaction.ts';
import type { Position } from './position.ts';

const attempts = 10;
const pause = 500;

/** How far each stream has been read, stored together with what was read. */
export class Positions {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;

  /** @param mutex of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  async read(name: PositionName): Promise<Position> {
    const found = await this.#connection.runAndReadAll(`SELECT stream, sequence, time, readAt FROM ${name}`);
    const [stream, sequence, time, readAt] = found.getRows()[0] ?? [];
    return {
      stream: String(stream),
      sequence: Number(sequence),
      time: Number(time),
      readAt: Number(readAt),
    };
  }

  /** Stores what `append` adds and the position behind it: both or nothing. */
  store(name: PositionName, position: Position, append: () => Promise<void>): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      await begin(this.#connection);
      let committing = false;
      try {
        await append();
        const { stream, sequence, time, readAt } = position;
        // No UPDATE: after one that was rolled back for want of memory, DuckDB 1.5 crashes at the next.
        await this.#connection.run(`DELETE FROM ${name}`);
        await this.#connection.run(
          `INSERT INTO ${name} (stream, sequence, time, readAt) VALUES ($1, $2, $3, $4)`,
          [stream, BigInt(sequence), BigInt(time), BigInt(readAt)],
          [VARCHAR, BIGINT, BIGINT, BIGINT],
        );
        committing = true;
        await this.#connection.run('COMMIT');
      } catch (error) {
        await rollBack(this.#connection);
        // What fails behind the commit itself, such as tidying the file up, looks as if the commit had failed.
        if (committing && (await this.#holds(name, position))) return;
        throw error;
      }
    });
  }

  /** Whether this position has been stored, asked until there is an answer. */
  async #holds(name: PositionName, { stream, sequence }: Position): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const stored = await this.read(name);
        return stored.stream === stream && stored.sequence === sequence;
      } catch (error) {
        if (attempt === attempts) throw error;
        await sleep(pause);
      }
    }
  }
}
