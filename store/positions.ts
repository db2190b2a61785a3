import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { Position } from './position.ts';
import type { PositionName } from './schema.ts';
import type { Turns } from './turns.ts';

/** How far each stream has been read, stored together with what was read. */
export class Positions {
  readonly #connection: DuckDBConnection;
  readonly #turns: Turns;

  /** @param turns of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, turns: Turns) {
    this.#connection = connection;
    this.#turns = turns;
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
    return this.#turns.run(() =>
      inTransaction(this.#connection, async () => {
        await append();
        const { stream, sequence, time, readAt } = position;
        await this.#connection.run(
          `UPDATE ${name} SET stream = $1, sequence = $2, time = $3, readAt = $4`,
          [stream, BigInt(sequence), BigInt(time), BigInt(readAt)],
          [VARCHAR, BIGINT, BIGINT, BIGINT],
        );
      }),
    );
  }
}

/** Does all of it or nothing. */
export async function inTransaction<T>(connection: DuckDBConnection, task: () => Promise<T>): Promise<T> {
  await connection.run('BEGIN');
  try {
    const result = await task();
    await connection.run('COMMIT');
    return result;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}
