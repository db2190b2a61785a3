/** Everything that stands in the database's file. The tables are ours, the views are what people may ask. */

/** Of something that was seen; its `time` is when it appeared. */
const life = `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  endTime BIGINT,
  monitorID VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  score DOUBLE NOT NULL,
  eventID VARCHAR NOT NULL`;

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
  object VARCHAR`,
  delivery: `
  id VARCHAR NOT NULL,
  time BIGINT NOT NULL,
  storedAt BIGINT NOT NULL,
  deliveredAt BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  source VARCHAR NOT NULL`,
  object: life,
  state: `
  time BIGINT NOT NULL,
  monitorID VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  reason VARCHAR NOT NULL`,
  // What is there now, or was when something ended without a word.
  presence: life,
  // When the recorder began, and when it was last known to run.
  alive: `
  began BIGINT NOT NULL,
  time BIGINT NOT NULL`,
};

export const positionNames = [
  'position',
  'eventPosition',
  'deliveryPosition',
  'objectPosition',
  'statePosition',
] as const;
export type PositionName = (typeof positionNames)[number];

/** Tables that grow with what happens. Of each the oldest rows, by their `time`, go first. */
export const agingTables = ['log', 'event', 'delivery', 'object', 'state'] as const;
export type AgingTable = (typeof agingTables)[number];

/** Tables whose rows come at the end, and are deleted by the retention alone. */
export const growingTables = [...agingTables, 'hourly', 'slice'] as const;
export const smallTables = [...positionNames, 'presence', 'alive'] as const;
export type SqlTable = (typeof growingTables)[number] | (typeof smallTables)[number];

/** How far a stream has been read. */
const position = `
  stream VARCHAR NOT NULL,
  sequence BIGINT NOT NULL,
  time BIGINT NOT NULL,
  readAt BIGINT NOT NULL`;

const columnsOf = (table: SqlTable) => (table in columns ? columns[table as keyof typeof columns] : position);

export const copyOf = (table: SqlTable) => `${table}Copy`;

/** Makes a table, or one of its shape under another name, where there is none. */
export const createTable = (table: SqlTable, name: string = table) =>
  `CREATE TABLE IF NOT EXISTS ${name} (${columnsOf(table)}\n);`;

/** What questions would find in the log, known in advance; see `LogHours` and `LogSlices`. */
export const derivedTables = [createTable('hourly'), createTable('slice')].join('\n');

const allTables: readonly SqlTable[] = [...growingTables, ...smallTables];
/** Of a compaction that was interrupted; see `compaction.ts`. */
const leftovers = allTables.map((table) => `DROP TABLE IF EXISTS ${copyOf(table)};`);
const tables = allTables.map((table) => createTable(table));
/** Of these there is always one row. */
const rows = [
  'INSERT INTO alive SELECT 0, 0 WHERE NOT EXISTS (FROM alive);',
  ...positionNames.map((name) => `INSERT INTO ${name} SELECT '', 0, 0, 0 WHERE NOT EXISTS (FROM ${name});`),
];

// The recordings are those that the recorder has told the log of. Its ids begin with the second, in UTC, in which
// the recording begins. One whose end nobody told of was cut off when its monitor's stream, or the recorder, ended.
const views = `
CREATE OR REPLACE VIEW logs AS SELECT time, level, src, monitorID, msg FROM log;
CREATE OR REPLACE VIEW events AS
  SELECT id, time, storedAt, monitorID, monitorName, source, label, score, x, y, width, height, object FROM event;
CREATE OR REPLACE VIEW recordings AS
  SELECT id, told.monitorID, startTime, coalesce(saved, cut.time) AS endTime
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
    ON told.monitorID = cut.monitorID AND told.begun < cut.time;
CREATE OR REPLACE VIEW deliveries AS SELECT id, monitorID, source, time, storedAt, deliveredAt FROM delivery;
CREATE OR REPLACE VIEW objects AS
  SELECT id, monitorID, label, score, time AS startTime, endTime, eventID
  FROM (FROM object UNION ALL FROM presence);
CREATE OR REPLACE VIEW states AS
  SELECT monitorID, state, reason, time AS startTime,
    lead(time) OVER monitors AS endTime,
    state = 'streaming' AND lag(state, 1, '') OVER monitors = 'waiting' AS reconnect
  FROM state
  WINDOW monitors AS (PARTITION BY monitorID ORDER BY time);`;

export const schema = [...leftovers, ...tables, ...rows, views].join('\n');
