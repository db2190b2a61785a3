import { type DuckDBConnection, type DuckDBResult, VARCHAR } from '@duckdb/node-api';
import { StoreError } from '../../base/store-error.ts';
import { checkText, checkTree } from './sql-allowlist.ts';

/** One statement of a user, on a connection that nothing else uses meanwhile. */
export class SqlStatement {
  readonly #connection: DuckDBConnection;
  readonly #seconds: number;
  readonly #end: number;
  #closed = false;

  /** @param seconds time limit of all steps together, from now on. */
  constructor(connection: DuckDBConnection, seconds: number) {
    this.#connection = connection;
    this.#seconds = seconds;
    this.#end = Date.now() + seconds * 1000;
  }

  /** @throws {StoreError} `invalid` if the statement is refused, or wrong. */
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
   * Runs one step of the statement.
   *
   * @param signal interrupts it.
   * @throws {StoreError} `invalid` if the statement is wrong, exceeds a limit, or was interrupted.
   */
  async step<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const over = () => this.#closed || signal.aborted || Date.now() > this.#end;
    // Repeated, because DuckDB ignores an interruption between two steps.
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

  /** Interrupts the statement at any step. */
  close(): void {
    this.#closed = true;
  }
}

/** An error caused by the statement. */
export const invalid = (message: string) => new StoreError('invalid', message, { pointer: '/sql' });

/** The first line of DuckDB's message; the others quote the statement. */
function reason({ message }: Error): string {
  const [first = ''] = message.split('\n', 1);
  if (/^Out of Memory/i.test(first)) return 'the statement takes too much memory';
  return first.length > 300 ? `${first.slice(0, 299)}…` : first;
}
