import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import { schemaOf } from './machine-schema.ts';
import type { SqlTable } from './schema.ts';

/** Adds rows to a table in the transaction that is under way: all of them or, when it throws, none. */
export async function fillTable(
  connection: DuckDBConnection,
  table: SqlTable,
  append: (appender: DuckDBAppender) => void,
): Promise<void> {
  const appender = await connection.createAppender(table, schemaOf(connection));
  try {
    append(appender);
    appender.closeSync();
  } catch (error) {
    // Rows that it still holds would be stored when it is garbage-collected: at any time, outside of any transaction.
    appender.clear();
    throw error;
  }
}
