import type { DuckDBConnection } from '@duckdb/node-api';
import { createTable, schema } from './schema.ts';

/** The streams' positions had a table each, of one row. */
const formerPositions = {
  LOGS: 'position',
  EVENTS: 'eventPosition',
  DELIVERIES: 'deliveryPosition',
  OBJECTS: 'objectPosition',
  HISTORY: 'statePosition',
};

/**
 * The recordings were read from the log's messages. Their ids begin with the second, in UTC, in
 * which they begin. One without an end was cut off when its monitor's stream, or the recorder, ended.
 */
const recordingsOfLog = `
  INSERT INTO recording (id, time, endTime, monitorID, reason, reportedAt)
  SELECT id, startTime, endTime, monitorID, '', endTime
  FROM (
    SELECT id, told.monitorID, coalesce(startTime, begun) AS startTime,
      coalesce(saved, cut.time, greatest(begun, (SELECT time FROM alive))) AS endTime
    FROM (
      SELECT
        id,
        any_value(monitorID) AS monitorID,
        epoch_us(try_strptime(left(id, 19), '%Y-%m-%d_%H-%M-%S')) AS startTime,
        min(time) AS begun,
        max(time) FILTER (isEnd) AS saved
      FROM (
        SELECT regexp_extract(msg, '^(starting recording|recording saved): (.+)$', 2) AS id,
          starts_with(msg, 'recording saved') AS isEnd, monitorID, time
        FROM log
        WHERE src = 'recorder' AND level = 'info'
          AND (starts_with(msg, 'starting recording: ') OR starts_with(msg, 'recording saved: '))
      )
      WHERE id != ''
      GROUP BY id
    ) told
    ASOF LEFT JOIN (SELECT monitorID, time FROM state WHERE state != 'streaming') cut
      ON told.monitorID = cut.monitorID AND told.begun < cut.time
  )
  ORDER BY startTime`;

/** Makes what is missing in a schema, and what an older version left into what it is now. Within a transaction. */
export async function migrateSchema(connection: DuckDBConnection): Promise<void> {
  const found = await connection.runAndReadAll(
    'SELECT table_name FROM duckdb_tables() WHERE schema_name = current_schema()',
  );
  const before = new Set(found.getRows().map(([name]) => String(name)));
  if (before.has('eventPosition')) await joinPositions(connection, before);
  await connection.run(schema);
  // By which clock their times are, was not known.
  if (before.has('event'))
    await connection.run('ALTER TABLE event ADD COLUMN IF NOT EXISTS startedUs BIGINT');
  if (before.has('log') && !before.has('recording')) await connection.run(recordingsOfLog);
}

async function joinPositions(connection: DuckDBConnection, tables: ReadonlySet<string>): Promise<void> {
  await connection.run(createTable('position', 'joined'));
  for (const [stream, table] of Object.entries(formerPositions)) {
    if (!tables.has(table)) continue;
    await connection.run(
      `INSERT INTO joined SELECT '${stream}', stream, sequence, time, readAt FROM ${table} WHERE stream != ''`,
    );
    // Its copy is of a compaction that was interrupted.
    await connection.run(`DROP TABLE ${table}; DROP TABLE IF EXISTS ${table}Copy`);
  }
  await connection.run('ALTER TABLE joined RENAME TO position');
}
