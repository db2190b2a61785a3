/** The tables of one machine, see `machine-schema.ts`. People query the views of `views.ts`. */

/** Of something that was seen; its `time` is when it appeared. */
const life = `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  endTime BIGINT,
  monitorID VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  score DOUBLE NOT NULL,
  eventID VARCHAR NOT NULL`;

/** Of a recording; its `time` is when it began. What is unknown, of an older version's recordings for example, is null. */
const footage = `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  endTime BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  bytes BIGINT,
  videoCodec VARCHAR,
  width INTEGER,
  height INTEGER,
  audioCodec VARCHAR,
  reason VARCHAR NOT NULL,
  reportedAt BIGINT NOT NULL`;

// No index: it would cost more memory than there is, and times are in order anyway.
const columns = {
  log: `
  time BIGINT NOT NULL,
  level VARCHAR NOT NULL,
  src VARCHAR NOT NULL,
  monitorID VARCHAR NOT NULL,
  msg VARCHAR NOT NULL`,
  hourly: `
  time BIGINT NOT NULL,
  level VARCHAR NOT NULL,
  src VARCHAR NOT NULL,
  monitorID VARCHAR NOT NULL,
  entries BIGINT NOT NULL`,
  slice: `
  number BIGINT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  grams BIT NOT NULL`,
  event: `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  storedAt BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  monitorName VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  score DOUBLE NOT NULL,
  x INTEGER,
  y INTEGER,
  width INTEGER,
  height INTEGER,
  object VARCHAR,
  startedUs BIGINT`,
  delivery: `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  storedAt BIGINT NOT NULL,
  deliveredAt BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  source VARCHAR NOT NULL`,
  object: life,
  recording: footage,
  // Recordings whose files were deleted; `time` is when they began.
  removal: `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL`,
  // Of events of recordings that got their true times; see `recorded-events/event-moves.ts`. In the order in which they were made.
  eventMove: `
  monitorID VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  endTime BIGINT NOT NULL,
  shiftUs BIGINT NOT NULL,
  formerUs BIGINT NOT NULL,
  stepUs BIGINT NOT NULL`,
  state: `
  time BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  reason VARCHAR NOT NULL`,
  // How the machine has recorded each monitor from a time on, where there are several; see `rows.ts`.
  tenure: `
  time BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  rank BIGINT NOT NULL`,
  // Objects that are present now, or were when their host was killed.
  presence: life,
  // Recordings that are growing now, or were when their host was killed; `endTime` is the last one reported.
  openRecording: footage,
  // How far each stream has been read.
  position: `
  stream VARCHAR NOT NULL,
  identity VARCHAR NOT NULL,
  sequence BIGINT NOT NULL,
  time BIGINT NOT NULL,
  readAt BIGINT NOT NULL`,
  // When the recorder began, and when it was last known to run.
  alive: `
  began BIGINT NOT NULL,
  time BIGINT NOT NULL`,
  // Since when another machine is not heard, by this machine's clock; no row while it is.
  silence: `
  time BIGINT NOT NULL`,
};

/** The reason of the state of a monitor whose recorder was killed, until it began again. */
export const notRunning = 'the recorder was not running';

/** Tables that grow with what happens. Of each the oldest rows, by their `time`, go first. */
export const agingTables = [
  'log',
  'event',
  'delivery',
  'object',
  'recording',
  'removal',
  'eventMove',
  'state',
  'tenure',
] as const;
export type AgingTable = (typeof agingTables)[number];

/** Tables whose rows come at the end, and are deleted by the retention alone. */
export const growingTables = [...agingTables, 'hourly', 'slice'] as const;
export const smallTables = ['position', 'presence', 'openRecording', 'alive', 'silence'] as const;
export type SqlTable = (typeof growingTables)[number] | (typeof smallTables)[number];

export const copyOf = (table: SqlTable) => `${table}Copy`;

/** Makes a table, or one of its shape under another name, where there is none. */
export const createTable = (table: SqlTable, name: string = table) =>
  `CREATE TABLE IF NOT EXISTS ${name} (${columns[table]}\n);`;

/** Tables that say in advance where a query need not look; see `HourlyRollup` and `TextIndex`. */
export const derivedTables = [createTable('hourly'), createTable('slice')].join('\n');

const allTables: readonly SqlTable[] = [...growingTables, ...smallTables];
/** Of a compaction that was interrupted; see `compaction.ts`. */
const leftovers = allTables.map((table) => `DROP TABLE IF EXISTS ${copyOf(table)};`);
const tables = allTables.map((table) => createTable(table));
/** Of this there is always one row. */
const rows = 'INSERT INTO alive SELECT 0, 0 WHERE NOT EXISTS (FROM alive);';

/** A recording's id says which stream it is of, see `bus/recording-id.ts`. */
export const streamName = (id: string) => `CASE WHEN ends_with(${id}, '_sub') THEN 'sub' ELSE 'main' END`;

/**
 * Recordings whose end was not reported. One is over when the recorder was started after it, its monitor's stream has ended
 * since, or the next recording of the same stream has begun.
 *
 * @param isAway whether the machine is not heard, or a condition: all of them end, for all that is known, with what was reported last.
 */
export const unendedRecordings = (isAway: boolean | string = false) => `
  SELECT id, open.monitorID, ${streamName('id')} AS stream, open.time AS startTime,
    CASE WHEN ${isAway} OR reportedAt < (SELECT began FROM alive) OR pause.time > open.endTime OR later.time > open.time
      THEN endTime END AS endTime,
    bytes, videoCodec, width, height, audioCodec, reason
  FROM openRecording open
  LEFT JOIN (
    SELECT monitorID, max(time) AS time FROM state WHERE state != 'streaming' GROUP BY ALL
  ) pause ON pause.monitorID = open.monitorID
  LEFT JOIN (
    SELECT monitorID, ${streamName('id')} AS stream, max(time) AS time
    FROM (
      SELECT id, monitorID, time FROM recording WHERE time > (SELECT min(time) FROM openRecording)
      UNION ALL SELECT id, monitorID, time FROM openRecording)
    GROUP BY ALL
  ) later ON later.monitorID = open.monitorID AND later.stream = ${streamName('open.id')}`;

/** Of this machine's tables alone, as the view `machineRecordings`. See {@link unendedRecordings}. */
export const allRecordings = (isAway: boolean | string = false) => `
  SELECT id, monitorID, ${streamName('id')} AS stream, time AS startTime,
    endTime, bytes, videoCodec, width, height, audioCodec, reason
  FROM recording
  UNION ALL
  ${unendedRecordings(isAway)}`;

/** Those that go on, while the machine is not heard; of each the time, monitor, state and reason. */
const awayStates = `
  SELECT greatest(silence.time, last.time + 1), monitorID, 'away', 'the machine is not heard'
  FROM silence, (SELECT monitorID, max(time) AS time, arg_max(state, time) AS state FROM state GROUP BY ALL) last
  WHERE state NOT IN ('stopped', 'disabled')`;

/** Of objects that were in view when a recorder was killed, or was heard last, nobody reports the end. */
const unendedObjects = `
  SELECT id, presence.time,
    coalesce(
      endTime,
      CASE WHEN stop.time > presence.time THEN stop.time END,
      CASE WHEN silent.time IS NOT NULL THEN greatest(presence.time, silent.time) END) AS endTime,
    presence.monitorID, label, score, eventID
  FROM presence
  LEFT JOIN (
    SELECT monitorID, max(time) AS time FROM state WHERE reason = '${notRunning}' GROUP BY ALL
  ) stop ON stop.monitorID = presence.monitorID
  CROSS JOIN (SELECT max(time) AS time FROM silence) silent`;

/** Of one machine's tables alone. */
const views = `
CREATE OR REPLACE VIEW machineRecordings AS ${allRecordings('EXISTS (FROM silence)')};
CREATE OR REPLACE VIEW machineObjects AS FROM object UNION ALL ${unendedObjects};
CREATE OR REPLACE VIEW machineStates AS
  SELECT monitorID, state, reason, time AS startTime,
    lead(time) OVER monitors AS endTime,
    state = 'streaming' AND lag(state, 1, '') OVER monitors = 'waiting' AS reconnect
  FROM (FROM state UNION ALL ${awayStates})
  WINDOW monitors AS (PARTITION BY monitorID ORDER BY time);`;

export const schema = [...leftovers, ...tables, rows, views].join('\n');
