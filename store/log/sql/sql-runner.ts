import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { beginStatement, inWords } from './sql-statement.ts';

/** The result of a statement. */
export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** Whether rows past the limit were left out. */
  readonly truncated: boolean;
}
/** Integers beyond 2^53, and values that JSON cannot represent, are texts. */
export type SqlValue = string | number | boolean | null;

const limits = { rows: 10_000, bytes: 8_000_000 };

/**
 * Runs a user's statement to its end.
 *
 * @throws {StoreError} `invalid` if the statement is refused, wrong, or takes too much memory.
 */
export async function runStatement(connection: DuckDBConnection, sql: string): Promise<SqlResult> {
  const result = await beginStatement(connection, sql);
  const rows: SqlValue[][] = [];
  let bytes = 0;
  for (;;) {
    const chunk = await inWords(() => result.fetchChunk());
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
