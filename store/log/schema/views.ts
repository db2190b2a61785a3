import type { DuckDBConnection } from '@duckdb/node-api';
import { type MachineSchema, quoted } from './machine-schema.ts';

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
    source: (schema: string) => `${schema}.machineObjects`,
  },
  states: {
    columns: 'monitorID, state, reason, startTime, endTime, reconnect',
    source: (schema: string) => `${schema}.machineStates`,
  },
};

/** Unix times in microseconds, both included; all times if left out. */
export interface UnixSpan {
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** Another machine has reported the same if it has seen something within this, in microseconds: clocks differ. */
const sameUs = 2_000_000;
/** What follows sooner is one occurrence. */
const pauseUs = 30_000_000;

/**
 * A query for the ids of events that another machine shows, of those that two machines have seen while both recorded a
 * monitor, an owner that was not heard and the one that stood in for it for example. Shown are those of the machine with the
 * higher token; one that stands in for an owner counts as later than that. What it has not seen is shown as the other has it, also
 * what another detector or label of it has seen, so a moment is reported once and none is lost: what the other one
 * has shown while its token was the higher one is not hidden by what follows. Every machine reads the same rows,
 * so all show the same.
 *
 * Of events in a span of time, all by default. Machines rarely record the same: {@link jointTenures}, of which all begins, are few.
 */
export const repeatedEvents = (
  machines: readonly MachineSchema[],
  { start = 0, end = Number.MAX_SAFE_INTEGER }: UnixSpan = {},
): string => {
  const all = (columns: string, table: string, where = '') =>
    machines
      .map(
        ({ machine, schema }) =>
          `SELECT ${literal(machine)} AS machine, ${columns} FROM ${quoted(schema)}.${table} ${where}`,
      )
      .join(' UNION ALL ');
  const isSame = (table: string) =>
    ['machine', 'other', 'monitorID', 'startTime', 'source', 'label']
      .map((column) => `${table}.${column} = repeated.${column}`)
      .join(' AND ');
  const isNear = `WHERE time >= ${start - pauseUs} AND time < ${end + pauseUs}`;
  return `
  WITH joint AS (
    ${jointTenures(machines, { start: start - sameUs, end: end + sameUs })}),
  seen AS (${all('monitorID, time, id, source, label', 'event', isNear)}),
  repeated AS (
    SELECT joint.machine, other, joint.monitorID, startTime, seen.time, id, source, label
    FROM joint JOIN seen
      ON seen.machine = joint.machine AND seen.monitorID = joint.monitorID
      AND seen.time >= startTime - ${sameUs} AND seen.time < endTime + ${sameUs}
    WHERE seen.time >= startTime OR NOT EXISTS (
      FROM joint before WHERE before.machine = joint.other AND before.other = joint.machine
      AND before.monitorID = joint.monitorID AND seen.time >= before.startTime AND seen.time < before.endTime)),
  shown AS (
    SELECT joint.machine, other, joint.monitorID, startTime, seen.time, source, label
    FROM joint JOIN seen
      ON seen.machine = other AND seen.monitorID = joint.monitorID AND seen.time >= startTime AND seen.time < endTime),
  detections AS (
    SELECT repeated.machine, repeated.id, repeated.label,
      bool_or(coalesce(repeated.time - before.time <= ${sameUs}, false)
        OR coalesce(after.time - repeated.time <= ${sameUs}, false)
        OR coalesce(after.time - before.time <= ${pauseUs}, false)) AS isShown
    FROM repeated
    ASOF LEFT JOIN shown before
      ON ${isSame('before')} AND repeated.time >= before.time
    ASOF LEFT JOIN shown after
      ON ${isSame('after')} AND repeated.time <= after.time
    GROUP BY ALL)
  SELECT machine, id FROM detections GROUP BY machine, id HAVING bool_and(isShown)`;
};

/**
 * A query for the times in which two machines both recorded a monitor; `other` has the higher token. What a machine has recorded last
 * counts until the newest message that was read of it: one that never returns has seen nothing since.
 *
 * @param span what touches it. In years there are tens of thousands of tenures, and each is compared with all of its monitor.
 */
export const jointTenures = (
  machines: readonly MachineSchema[],
  { start = 0, end = Number.MAX_SAFE_INTEGER }: UnixSpan = {},
): string => {
  const tenures = machines.map(
    ({ machine, schema }) =>
      `SELECT ${literal(machine)} AS machine, monitorID, time, rank, (SELECT max(readAt) FROM ${quoted(schema)}.position) AS readAt
      FROM ${quoted(schema)}.tenure`,
  );
  return `
  WITH allTenures AS (
    SELECT *, coalesce(lead(time) OVER (PARTITION BY machine, monitorID ORDER BY time), readAt) AS endTime
    FROM (${tenures.join(' UNION ALL ')})),
  tenures AS (FROM allTenures WHERE time <= ${end} AND endTime >= ${start})
  SELECT low.machine, high.machine AS other, low.monitorID,
    greatest(low.time, high.time) AS startTime, least(low.endTime, high.endTime) AS endTime
  FROM tenures low JOIN tenures high
    ON high.monitorID = low.monitorID AND high.machine != low.machine AND low.rank >= 0
    AND (high.rank > low.rank OR (high.rank = low.rank AND high.machine < low.machine))
    AND high.time < low.endTime AND low.time < high.endTime`;
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
          `SELECT ${columns}, ${literal(machine)} AS machine FROM ${source(quoted(schema))} ${onceIn(view, machines)}`,
      );
      return `CREATE OR REPLACE VIEW ${view} AS ${parts.join(' UNION ALL ')};`;
    }),
    `COMMENT ON VIEW logs IS ${literal(machines[0]?.machine ?? '')};`,
    ...machines.slice(1).map(nameSchema),
  ].join('\n');

/** Whose tables they are from the next start on; `''`: nobody's, and if they are empty, they go. */
export const nameSchema = ({ machine, schema }: MachineSchema): string =>
  `COMMENT ON VIEW ${quoted(schema)}.machineStates IS ${literal(machine)};`;

const onceIn = (view: string, machines: readonly MachineSchema[]) =>
  view === 'events' && machines.length > 1
    ? `WHERE id NOT IN (SELECT id FROM (${repeatedEvents(machines)}))`
    : '';

/** Whose file it is; undefined in one of an earlier version. */
export async function machineOfFile(connection: DuckDBConnection): Promise<string | undefined> {
  const found = await connection.runAndReadAll(
    "SELECT comment FROM duckdb_views() WHERE schema_name = 'main' AND view_name = 'logs'",
  );
  const [name] = found.getRows()[0] ?? [];
  return typeof name === 'string' ? name : undefined;
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
