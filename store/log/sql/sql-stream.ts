import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { invalidStatement } from '../../base/store-error.ts';
import { sqlEncoder } from './sql-encoding.ts';
import type { SqlEncoder, SqlFormat } from './sql-format.ts';
import { beginStatement, inWords } from './sql-statement.ts';

const maxRows = 10_000_000;

/** A user's statement whose result is read in pieces. */
export class SqlStream {
  readonly #result: DuckDBResult;
  readonly #encoder: SqlEncoder;
  #rows = 0;

  private constructor(result: DuckDBResult, format: SqlFormat) {
    this.#result = result;
    this.#encoder = sqlEncoder(format, result);
  }

  /** @throws {StoreError} `invalid` if the statement is refused, or wrong. */
  static async open(connection: DuckDBConnection, sql: string, format: SqlFormat): Promise<SqlStream> {
    return new SqlStream(await beginStatement(connection, sql), format);
  }

  /** @returns the next piece, and whether it is the last. @throws {StoreError} `invalid` if there are too many rows. */
  async next(): Promise<{ piece: Uint8Array<ArrayBuffer>; isLast: boolean }> {
    const chunk = await inWords(() => this.#result.fetchChunk());
    if (!chunk || chunk.rowCount === 0) return { piece: this.#encoder.end(), isLast: true };
    this.#rows += chunk.rowCount;
    if (this.#rows > maxRows) throw invalidStatement(`the answer has more than ${maxRows} rows`);
    return { piece: this.#encoder.encode(chunk), isLast: false };
  }
}
