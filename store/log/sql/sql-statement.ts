import { type DuckDBConnection, type DuckDBResult, VARCHAR } from '@duckdb/node-api';
import { invalidStatement, StoreError } from '../../base/store-error.ts';
import { checkText, checkTree } from './sql-allowlist.ts';

/**
 * Begins a statement of a user. It has no limit of time: the process that it runs in is killed.
 *
 * @throws {StoreError} `invalid` if the statement is refused, or wrong.
 */
export function beginStatement(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  return inWords(async () => {
    checkText(sql);
    const parsed = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql], [VARCHAR]);
    checkTree(String(parsed.getRows()[0]?.[0]));
    return connection.stream(sql);
  });
}

/** Runs one step of a statement. @throws {StoreError} `invalid` instead of DuckDB's errors. */
export async function inWords<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw error instanceof StoreError ? error : invalidStatement(reason(error as Error));
  }
}

/** The first line of DuckDB's message; the others quote the statement. */
function reason({ message }: Error): string {
  const [first = ''] = message.split('\n', 1);
  if (/^Out of Memory|bad.?alloc/i.test(first)) return 'the statement takes too much memory';
  return first.length > 300 ? `${first.slice(0, 299)}…` : first;
}
