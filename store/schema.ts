/** Everything that stands in the database's file. The tables are ours, the views are what people may ask. */

// No index: it would cost more memory than there is, and times are in order anyway.
const tables = `
CREATE TABLE IF NOT EXISTS log (
  time BIGINT NOT NULL,
  level VARCHAR NOT NULL,
  src VARCHAR NOT NULL,
  monitorID VARCHAR NOT NULL,
  msg VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS event (
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
  object VARCHAR
);`;

/** What questions would find in the log, known in advance; see `LogHours` and `LogSlices`. */
export const derivedTables = `
CREATE TABLE IF NOT EXISTS hourly (
  time BIGINT NOT NULL,
  level VARCHAR NOT NULL,
  src VARCHAR NOT NULL,
  monitorID VARCHAR NOT NULL,
  entries BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS slice (
  number BIGINT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  grams BIT NOT NULL
);`;

/** How far each stream has been read, in a table of one row. */
const positions = ['position', 'eventPosition'].map(
  (name) => `
CREATE TABLE IF NOT EXISTS ${name} (
  stream VARCHAR NOT NULL,
  sequence BIGINT NOT NULL,
  time BIGINT NOT NULL,
  readAt BIGINT NOT NULL
);
INSERT INTO ${name} SELECT '', 0, 0, 0 WHERE NOT EXISTS (FROM ${name});`,
);

// The recordings are those that the recorder has told the log of. Its ids begin with the second, in UTC, in which
// the recording begins. A recording without an end is still being written, or was cut off by a crash.
const views = `
CREATE OR REPLACE VIEW logs AS SELECT time, level, src, monitorID, msg FROM log;
CREATE OR REPLACE VIEW events AS
  SELECT id, time, storedAt, monitorID, monitorName, source, label, score, x, y, width, height, object FROM event;
CREATE OR REPLACE VIEW recordings AS
  SELECT
    id,
    any_value(monitorID) AS monitorID,
    epoch_us(try_strptime(left(id, 19), '%Y-%m-%d_%H-%M-%S')) AS startTime,
    max(time) FILTER (saved) AS endTime
  FROM (
    SELECT regexp_extract(msg, '^(starting recording|recording saved): (.+)$', 2) AS id,
      starts_with(msg, 'recording saved') AS saved, monitorID, time
    FROM log
    WHERE src = 'recorder' AND level = 'info'
  )
  WHERE id != ''
  GROUP BY id;`;

export const schema = [tables, derivedTables, ...positions, views].join('\n');
