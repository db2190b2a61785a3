import type { DuckDBConnection } from '@duckdb/node-api';
import { machineOfToken, machineToken } from '../../../bus/nats/control/machine-token.ts';

/**
 * Each other machine of a cluster has the same tables as this one, in a schema of its own. Within one machine's log times only
 * grow, which pages, indexes and the retention rely on; across machines they do not.
 */

/** Where the tables of one machine are. */
export interface MachineSchema {
  readonly machine: string;
  readonly schema: string;
}

/** The schema of this machine's tables, and of what people may query. */
export const ownSchema = 'main';
const prefix = 'machine_';
const schemas = new WeakMap<DuckDBConnection, string>();

/** The schema for a machine that has none among these: one that was given another name keeps its own. */
export function newSchema(machine: string, known: readonly MachineSchema[]): MachineSchema {
  let schema = `${prefix}${machineToken(machine)}`;
  while (known.some((other) => other.schema === schema)) schema += '+';
  return { machine, schema };
}

/** For statements. */
export const quoted = (schema: string): string => `"${schema}"`;

/** The machines other than this one whose tables the file has, as they were called last; see `views.ts`. */
export async function machinesOfFile(connection: DuckDBConnection): Promise<MachineSchema[]> {
  const found = await connection.runAndReadAll(`
    SELECT schema_name, views.comment FROM duckdb_schemas() schemas
    LEFT JOIN (FROM duckdb_views() WHERE view_name = 'machineStates') views USING (database_name, schema_name)
    WHERE database_name = current_database() AND starts_with(schema_name, '${prefix}') ORDER BY ALL`);
  return found.getRows().map(([name, called]) => {
    const schema = String(name);
    return { machine: String(called ?? machineOfToken(schema.slice(prefix.length))), schema };
  });
}

/** Statements of this connection mean the tables of this schema from now on. */
export async function enterSchema(connection: DuckDBConnection, schema: string): Promise<void> {
  await connection.run(`USE ${quoted(schema)}`);
  schemas.set(connection, schema);
}

/** An appender, unlike a statement, must be told. */
export const schemaOf = (connection: DuckDBConnection): string => schemas.get(connection) ?? ownSchema;
