import { type DuckDBConnection, type DuckDBValue, VARCHAR } from '@duckdb/node-api';
import { StoreError } from './errors.ts';
import { checkText, checkTree } from './sql-check.ts';
import { Turns } from './turns.ts';

/** What a statement gives. */
export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** There were more rows than are given. */
  readonly truncated: boolean;
}
/** Integers beyond 2^53 and whatever JSON has no word for are texts. */
export type SqlValue = string | number | boolean | null;

const limits = { rows: 10_000, bytes: 8_000_000, milliseconds: 5000, waiting: 4 };

/** Puts statements of people to the database, on a connection of its own, one at a time. */
export class SqlDesk {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Turns();
  #waiting = 0;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** @throws {StoreError} `invalid`: the statement is refused, wrong, or asks too much. */
  async run(sql: string, signal: AbortSignal): Promise<SqlResult> {
    if (this.#waiting >= limits.waiting) throw invalid('other statements are waiting; try again');
    this.#waiting += 1;
    try {
      return await this.#turns.run(() => this.#run(sql, signal));
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Waits for the statement that runs, and ends it soon. */
  async close(): Promise<void> {
    const interrupting = setInterval(() => this.#connection.interrupt(), 50);
    await this.#turns.close(() => this.#connection.closeSync());
    clearInterval(interrupting);
  }

  async #run(sql: string, signal: AbortSignal): Promise<SqlResult> {
    const end = Date.now() + limits.milliseconds;
    const late = () => Date.now() > end;
    // Again and again, because an interruption that comes between two steps is forgotten.
    const watch = setInterval(() => {
      if (late() || signal.aborted) this.#connection.interrupt();
    }, 20);
    try {
      checkText(sql);
      const parsed = await this.#connection.runAndReadAll(
        'SELECT json_serialize_sql($1::VARCHAR)',
        [sql],
        [VARCHAR],
      );
      checkTree(String(parsed.getRows()[0]?.[0]));
      return await this.#read(sql, () => late() || signal.aborted);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      if (signal.aborted) throw invalid('the statement was given up');
      if (late()) throw invalid(`the statement took longer than ${limits.milliseconds / 1000} seconds`);
      throw invalid(reason(error as Error));
    } finally {
      clearInterval(watch);
    }
  }

  async #read(sql: string, over: () => boolean): Promise<SqlResult> {
    const result = await this.#connection.stream(sql);
    const columns = result
      .columnNames()
      .map((name, index) => ({ name, type: String(result.columnType(index)) }));
    const rows: SqlValue[][] = [];
    let bytes = 0;
    for (;;) {
      if (over()) throw new Error('interrupted');
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return { columns, rows, truncated: false };
      for (const row of chunk.getRows()) {
        const plain = row.map(plainValue);
        for (const value of plain) bytes += typeof value === 'string' ? value.length : 8;
        if (rows.length === limits.rows || bytes > limits.bytes) return { columns, rows, truncated: true };
        rows.push(plain);
      }
    }
  }
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

const invalid = (message: string) => new StoreError('invalid', message, { pointer: '/sql' });

/** The first line of what DuckDB says; the others quote the statement. */
function reason({ message }: Error): string {
  const [first = ''] = message.split('\n', 1);
  if (/^Out of Memory/i.test(first)) return 'the statement takes too much memory';
  return first.length > 300 ? `${first.slice(0, 299)}…` : first;
}
