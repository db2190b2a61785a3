import { setTimeout as sleep } from 'node:timers/promises';
import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { begin, rollBack } from '../schema/transaction.ts';
import type { Position, StoredPosition } from './position.ts';

const attempts = 10;
const pauseMs = 500;

/** How far each stream has been read, stored together with what was read. */
export class Positions {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;

  /** @param mutex of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  read(stream: StoredPosition): Promise<Position> {
    return this.ask(() => this.#read(stream));
  }

  /**
   * Asks something on this connection while nothing is stored: a statement ends another one that is about to be executed on the
   * same connection.
   */
  ask<T>(question: () => Promise<T>): Promise<T> {
    return this.#mutex.runExclusive(question);
  }

  async #read(stream: StoredPosition): Promise<Position> {
    const found = await this.#connection.runAndReadAll(
      'SELECT identity, sequence, time, readAt FROM position WHERE stream = $1',
      [stream],
      [VARCHAR],
    );
    const [identity = '', sequence = 0, time = 0, readAt = 0] = found.getRows()[0] ?? [];
    return {
      identity: String(identity),
      sequence: Number(sequence),
      time: Number(time),
      readAt: Number(readAt),
    };
  }

  /** Stores what `append` adds and the position after it: both or nothing. */
  store(stream: StoredPosition, position: Position, append: () => Promise<void>): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      await begin(this.#connection);
      let committing = false;
      try {
        await append();
        const { identity, sequence, time, readAt } = position;
        // No UPDATE: after one that was rolled back for want of memory, DuckDB 1.5 crashes at the next.
        await this.#delete(stream);
        await this.#connection.run(
          'INSERT INTO position (stream, identity, sequence, time, readAt) VALUES ($1, $2, $3, $4, $5)',
          [stream, identity, BigInt(sequence), BigInt(time), BigInt(readAt)],
          [VARCHAR, VARCHAR, BIGINT, BIGINT, BIGINT],
        );
        committing = true;
        await this.#connection.run('COMMIT');
      } catch (error) {
        await rollBack(this.#connection);
        // A failure after the commit itself, such as of a checkpoint, looks as if the commit had failed.
        if (committing && (await this.#holds(stream, position))) return;
        throw error;
      }
    });
  }

  /** As if nothing of it had been read. */
  forget(stream: StoredPosition): Promise<void> {
    return this.#mutex.runExclusive(() => this.#delete(stream));
  }

  async #delete(stream: StoredPosition): Promise<void> {
    await this.#connection.run('DELETE FROM position WHERE stream = $1', [stream], [VARCHAR]);
  }

  /** Whether this position has been stored, asked until there is an answer. */
  async #holds(stream: StoredPosition, { identity, sequence }: Position): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const stored = await this.#read(stream);
        return stored.identity === identity && stored.sequence === sequence;
      } catch (error) {
        if (attempt === attempts) throw error;
        await sleep(pauseMs);
      }
    }
  }
}
