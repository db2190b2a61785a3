import type { DuckDBConnection } from '@duckdb/node-api';
import { machineOfToken, machineToken } from '../../../bus/nats/control/machine-token.ts';

/**
 * Each other machine of a cluster has the same tables as this one, in a schema of its own. Within one machine's log times only
 * grow, which pages, indexes and the retention rely on; across machines they do not.
 */

/** The schema of this machine's tables, and of what people may query. */
export const ownSchema = 'main';
const prefix = 'machine_';
const schemas = new WeakMap<DuckDBConnection, string>();

export const schemaOfMachine = (machine: string): string => `${prefix}${machineToken(machine)}`;

/** For statements. */
export const quoted = (schema: string): string => `"${schema}"`;

/** The machines other than this one whose tables the file has. */
export async function machinesOfFile(connection: DuckDBConnection): Promise<string[]> {
  const found = await connection.runAndReadAll(
    'SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database() ORDER BY ALL',
  );
  const names = found.getRows().map(([name]) => String(name));
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => machineOfToken(name.slice(prefix.length)));
}

/** Statements of this connection mean the tables of this schema from now on. */
export async function enterSchema(connection: DuckDBConnection, schema: string): Promise<void> {
  await connection.run(`USE ${quoted(schema)}`);
  schemas.set(connection, schema);
}

/** An appender, unlike a statement, must be told. */
export const schemaOf = (connection: DuckDBConnection): string => schemas.get(connection) ?? ownSchema;
