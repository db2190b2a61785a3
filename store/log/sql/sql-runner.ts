import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import { StoreError } from '../../base/store-error.ts';
import { invalid, SqlStatement } from './sql-statement.ts';

/** The result of a statement. */
export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** Whether rows past the limit were left out. */
  readonly truncated: boolean;
}
/** Integers beyond 2^53, and values that JSON cannot represent, are texts. */
export type SqlValue = string | number | boolean | null;

const limits = { rows: 10_000, bytes: 8_000_000, seconds: 5, waiting: 4 };

/** Runs users' statements on a connection of its own, one at a time. */
export class SqlRunner {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Mutex();
  #statement: SqlStatement | undefined;
  #waiting = 0;
  #closed = false;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** @throws {StoreError} `invalid` if the statement is refused, wrong, or exceeds a limit; `busy` if too many wait. */
  async run(sql: string, signal: AbortSignal): Promise<SqlResult> {
    if (this.#waiting >= limits.waiting)
      throw new StoreError('busy', 'other statements are waiting; try again');
    this.#waiting += 1;
    try {
      return await this.#turns.runExclusive(() => this.#run(sql, signal));
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Interrupts the running statement and waits for its end. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#statement?.close();
    await this.#turns.close(() => this.#connection.closeSync());
  }

  async #run(sql: string, signal: AbortSignal): Promise<SqlResult> {
    if (this.#closed) throw invalid('the statement was given up');
    const statement = new SqlStatement(this.#connection, limits.seconds);
    this.#statement = statement;
    const result = await statement.begin(sql, signal);
    const rows: SqlValue[][] = [];
    let bytes = 0;
    for (;;) {
      const chunk = await statement.step(signal, () => result.fetchChunk());
      if (!chunk || chunk.rowCount === 0) return { columns: columnsOf(result), rows, truncated: false };
      for (const row of chunk.getRows()) {
        const plain = row.map(plainValue);
        for (const value of plain) bytes += typeof value === 'string' ? value.length : 8;
        if (rows.length === limits.rows || bytes > limits.bytes) {
          return { columns: columnsOf(result), rows, truncated: true };
        }
        rows.push(plain);
      }
    }
  }
}

function columnsOf(result: DuckDBResult): SqlResult['columns'] {
  return result.columnNames().map((name, index) => ({ name, type: String(result.columnType(index)) }));
}

function plainValue(value: DuckDBValue): SqlValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return String(value);
}
