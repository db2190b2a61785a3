import type { DuckDBConnection } from '@duckdb/node-api';

/**
 * Begins a transaction. Where the one before could not be ended, because memory was short even for that, it is ended
 * first: otherwise the connection would refuse everything for ever.
 */
export async function begin(connection: DuckDBConnection): Promise<void> {
  try {
    await connection.run('BEGIN');
  } catch {
    await rollBack(connection);
    await connection.run('BEGIN');
  }
}

/** Ends a transaction without its changes. What fails here is made good by the next {@link begin}. */
export async function rollBack(connection: DuckDBConnection): Promise<void> {
  await connection.run('ROLLBACK').catch(() => {});
}

/** Does all of it or nothing. */
export async function inTransaction(connection: DuckDBConnection, task: () => Promise<void>): Promise<void> {
  await begin(connection);
  try {
    await task();
    await connection.run('COMMIT');
  } catch (error) {
    await rollBack(connection);
    throw error;
  }
}
