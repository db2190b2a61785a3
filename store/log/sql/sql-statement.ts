import { type DuckDBConnection, type DuckDBResult, VARCHAR } from '@duckdb/node-api';
import { StoreError } from '../../base/store-error.ts';
import { checkText, checkTree } from './sql-allowlist.ts';

/** One statement that somebody wrote, on a connection that nothing else uses meanwhile. */
export class SqlStatement {
  readonly #connection: DuckDBConnection;
  readonly #seconds: number;
  readonly #end: number;
  #closed = false;

  /** @param seconds that it may take in all, from now on. */
  constructor(connection: DuckDBConnection, seconds: number) {
    this.#connection = connection;
    this.#seconds = seconds;
    this.#end = Date.now() + seconds * 1000;
  }

  /** @throws {StoreError} `invalid`: it is refused, or wrong. */
  begin(sql: string, signal: AbortSignal): Promise<DuckDBResult> {
    return this.step(signal, async () => {
      checkText(sql);
      const parsed = await this.#connection.runAndReadAll(
        'SELECT json_serialize_sql($1::VARCHAR)',
        [sql],
        [VARCHAR],
      );
      checkTree(String(parsed.getRows()[0]?.[0]));
      return this.#connection.stream(sql);
    });
  }

  /**
   * Does a part of the work.
   *
   * @param signal ends it.
   * @throws {StoreError} `invalid`: it is wrong, asks too much, or was ended.
   */
  async step<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const over = () => this.#closed || signal.aborted || Date.now() > this.#end;
    // Again and again, because an interruption that comes between two steps is forgotten.
    const watch = setInterval(() => {
      if (over()) this.#connection.interrupt();
    }, 20);
    try {
      if (over()) throw new Error('interrupted');
      return await work();
    } catch (error) {
      if (error instanceof StoreError) throw error;
      if (this.#closed || signal.aborted) throw invalid('the statement was given up');
      if (Date.now() > this.#end) {
        throw invalid(`the statement took longer than ${this.#seconds} seconds`);
      }
      throw invalid(reason(error as Error));
    } finally {
      clearInterval(watch);
    }
  }

  /** Ends it, whatever step it is at. */
  close(): void {
    this.#closed = true;
  }
}

/** It is the statement's fault. */
export const invalid = (message: string) => new StoreError('invalid', message, { pointer: '/sql' });

/** The first line of what DuckDB says; the others quote the statement. */
function reason({ message }: Error): string {
  const [first = ''] = message.split('\n', 1);
  if (/^Out of Memory/i.test(first)) return 'the statement takes too much memory';
  return first.length > 300 ? `${first.slice(0, 299)}…` : first;
}
