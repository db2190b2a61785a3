import type { DuckDBConnection } from '@duckdb/node-api';
import {
  enterSchema,
  type MachineSchema,
  machinesOfFile,
  newSchema,
  ownSchema,
  quoted,
} from './machine-schema.ts';
import { migrateSchema } from './migration.ts';
import { inTransaction } from './transaction.ts';
import { viewsOf } from './views.ts';

/** The state of a monitor is kept, however old it is. */
const emptied = ['log', 'event', 'delivery', 'object', 'recording'];

/**
 * Makes the tables of all machines and the views, and drops the tables of machines that are no longer there once they are empty: all
 * of it or nothing, because a view that is made again has lost its comment, and with it a machine's name, until the end.
 *
 * @returns those of the machines other than this one.
 */
export async function makeSchemas(
  connection: DuckDBConnection,
  machine: string,
  others: readonly string[],
): Promise<MachineSchema[]> {
  const kept: MachineSchema[] = [];
  await inTransaction(connection, async () => {
    await enterSchema(connection, ownSchema);
    await migrateSchema(connection);
    const known = await machinesOfFile(connection);
    const wanted = [...known];
    for (const other of others)
      if (!known.some((each) => each.machine === other)) wanted.push(newSchema(other, wanted));
    for (const each of wanted) {
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoted(each.schema)}`);
      await enterSchema(connection, each.schema);
      await migrateSchema(connection);
      if (others.includes(each.machine) || !(await isEmpty(connection))) kept.push(each);
    }
    await enterSchema(connection, ownSchema);
    await connection.run(viewsOf([{ machine, schema: ownSchema }, ...kept]));
    for (const each of known)
      if (!kept.includes(each)) await connection.run(`DROP SCHEMA ${quoted(each.schema)} CASCADE`);
  });
  return kept;
}

async function isEmpty(connection: DuckDBConnection): Promise<boolean> {
  const found = await connection.runAndReadAll(
    `SELECT count(*) FROM (${emptied.map((table) => `(SELECT time FROM ${table} LIMIT 1)`).join(' UNION ALL ')})`,
  );
  return found.getRows()[0]?.[0] === 0n;
}
