import type { DuckDBConnection } from '@duckdb/node-api';
import { enterSchema, machinesOfFile, ownSchema, quoted, schemaOfMachine } from './machine-schema.ts';
import { migrateSchema } from './migration.ts';
import { viewsOf } from './views.ts';

/** The state of a monitor is kept, however old it is. */
const emptied = ['log', 'event', 'delivery', 'object', 'recording'];

/**
 * Makes the tables of all machines and the views, and drops the tables of machines that are no longer there once they are empty.
 *
 * @returns the machines other than this one.
 */
export async function makeSchemas(
  connection: DuckDBConnection,
  machine: string,
  others: readonly string[],
): Promise<string[]> {
  await enterSchema(connection, ownSchema);
  await migrateSchema(connection);
  const known = await machinesOfFile(connection);
  const kept: string[] = [];
  for (const other of new Set([...others, ...known])) {
    const schema = schemaOfMachine(other);
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
    await enterSchema(connection, schema);
    await migrateSchema(connection);
    if (others.includes(other) || !(await isEmpty(connection))) kept.push(other);
  }
  await enterSchema(connection, ownSchema);
  const schemas = kept.map((other) => ({ machine: other, schema: schemaOfMachine(other) }));
  await connection.run(viewsOf([{ machine, schema: ownSchema }, ...schemas]));
  for (const other of known)
    if (!kept.includes(other)) await connection.run(`DROP SCHEMA ${quoted(schemaOfMachine(other))} CASCADE`);
  return kept;
}

async function isEmpty(connection: DuckDBConnection): Promise<boolean> {
  const found = await connection.runAndReadAll(
    `SELECT count(*) FROM (${emptied.map((table) => `(SELECT time FROM ${table} LIMIT 1)`).join(' UNION ALL ')})`,
  );
  return found.getRows()[0]?.[0] === 0n;
}
