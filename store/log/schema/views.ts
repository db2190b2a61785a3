import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from './machine-schema.ts';

/** Where the tables of one machine are. */
export interface MachineSchema {
  readonly machine: string;
  readonly schema: string;
}

/** Of each view, the columns and what they are read from in the schema of one machine. */
const views = {
  logs: { columns: 'time, level, src, monitorID, msg', source: (schema: string) => `${schema}.log` },
  events: {
    columns: 'id, time, storedAt, monitorID, monitorName, source, label, score, x, y, width, height, object',
    source: (schema: string) => `${schema}.event`,
  },
  recordings: {
    columns:
      'id, monitorID, stream, startTime, endTime, bytes, videoCodec, width, height, audioCodec, reason',
    source: (schema: string) => `${schema}.machineRecordings`,
  },
  deliveries: {
    columns: 'id, monitorID, source, time, storedAt, deliveredAt',
    source: (schema: string) => `${schema}.delivery`,
  },
  objects: {
    columns: 'id, monitorID, label, score, time AS startTime, endTime, eventID',
    source: (schema: string) => `(FROM ${schema}.object UNION ALL FROM ${schema}.presence)`,
  },
  states: {
    columns: 'monitorID, state, reason, startTime, endTime, reconnect',
    source: (schema: string) => `${schema}.machineStates`,
  },
};

/**
 * What people may query: the rows of all machines, with a column that says which.
 *
 * @param machines this one first: whose file it is, is written in it.
 */
export const viewsOf = (machines: readonly MachineSchema[]): string =>
  [
    ...Object.entries(views).map(([view, { columns, source }]) => {
      const parts = machines.map(
        ({ machine, schema }) =>
          `SELECT ${columns}, ${literal(machine)} AS machine FROM ${source(quoted(schema))}`,
      );
      return `CREATE OR REPLACE VIEW ${view} AS ${parts.join(' UNION ALL ')};`;
    }),
    `COMMENT ON VIEW logs IS ${literal(machines[0]?.machine ?? '')};`,
  ].join('\n');

/** Whose file it is; undefined in one of an earlier version. */
export async function machineOfFile(connection: DuckDBConnection): Promise<string | undefined> {
  const found = await connection.runAndReadAll(
    "SELECT comment FROM duckdb_views() WHERE schema_name = 'main' AND view_name = 'logs'",
  );
  const [name] = found.getRows()[0] ?? [];
  return typeof name === 'string' ? name : undefined;
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
