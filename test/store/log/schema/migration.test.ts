import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

const at = (seconds: number) => 1_800_000_000_000_000 + seconds * 1e6;

/** As version 0.1.0 had it before recordings were facts: a table for each position, recordings in the log's words. */
const former = `
  CREATE TABLE log (time BIGINT NOT NULL, level VARCHAR NOT NULL, src VARCHAR NOT NULL, monitorID VARCHAR NOT NULL,
    msg VARCHAR NOT NULL);
  CREATE TABLE state (time BIGINT NOT NULL, monitorID VARCHAR NOT NULL, state VARCHAR NOT NULL, reason VARCHAR NOT NULL);
  CREATE TABLE event (id VARCHAR NOT NULL, time BIGINT NOT NULL, storedAt BIGINT NOT NULL, monitorID VARCHAR NOT NULL,
    monitorName VARCHAR NOT NULL, source VARCHAR NOT NULL, label VARCHAR NOT NULL, score DOUBLE NOT NULL,
    x INTEGER, y INTEGER, width INTEGER, height INTEGER, object VARCHAR);
  INSERT INTO event VALUES ('e1', ${at(3)}, ${at(3)}, 'door', 'Door', 'motion', 'zone0', 50, NULL, NULL, NULL, NULL, NULL);
  CREATE TABLE alive (began BIGINT NOT NULL, time BIGINT NOT NULL);
  ${['position', 'eventPosition', 'deliveryPosition', 'objectPosition', 'statePosition']
    .map(
      (table) =>
        `CREATE TABLE ${table} (stream VARCHAR NOT NULL, sequence BIGINT NOT NULL, time BIGINT NOT NULL, readAt BIGINT NOT NULL);`,
    )
    .join('\n')}
  INSERT INTO position VALUES ('one', 11, 12, 13);
  INSERT INTO eventPosition VALUES ('two', 21, 22, 23);
  INSERT INTO deliveryPosition VALUES ('', 0, 0, 0);
  INSERT INTO objectPosition VALUES ('four', 41, 42, 43);
  INSERT INTO statePosition VALUES ('five', 51, 52, 53);
  -- What a compaction left that was interrupted.
  CREATE TABLE eventPositionCopy (stream VARCHAR NOT NULL);
  INSERT INTO alive VALUES (${at(0)}, ${at(60)});
  INSERT INTO state VALUES (${at(0)}, 'door', 'streaming', ''), (${at(50)}, 'door', 'waiting', 'killed'),
    (${at(52)}, 'door', 'streaming', '');
  INSERT INTO log VALUES
    (${at(2)}, 'info', 'recorder', 'door', 'starting recording: 2027-01-15_08-00-01_door'),
    (${at(20)}, 'info', 'recorder', 'door', 'recording saved: 2027-01-15_08-00-01_door'),
    (${at(30)}, 'info', 'recorder', 'door', 'starting recording: 2027-01-15_08-00-30_door'),
    (${at(55)}, 'info', 'recorder', 'door', 'starting recording: 2027-01-15_08-00-55_door'),
    (${at(56)}, 'info', 'app', '', 'starting recording: of no recorder');
  CREATE VIEW recordings AS SELECT msg AS id FROM log;`;

async function formerFile(): Promise<string> {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(former);
  connection.closeSync();
  instance.closeSync();
  return file;
}

async function open(file: string) {
  const { database, broken } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const { rows: ask } = await openSnapshot({ file, database });
  return { database, ask, broken };
}

test('the file of an older version keeps its positions, and lists the recordings named in its log, once', async () => {
  const file = await formerFile();
  for (const round of [1, 2]) {
    const { database, ask, broken } = await open(file);
    expect({ round, broken }).toEqual({ round, broken: undefined });
    const positions = ['LOGS', 'EVENTS', 'DELIVERIES', 'OBJECTS', 'HISTORY', 'RECORDINGS'] as const;
    const none = { identity: '', sequence: 0, time: 0, readAt: 0 };
    expect(await Promise.all(positions.map((stream) => database.positions.read(stream)))).toEqual([
      { identity: 'one', sequence: 11, time: 12, readAt: 13 },
      { identity: 'two', sequence: 21, time: 22, readAt: 23 },
      none,
      { identity: 'four', sequence: 41, time: 42, readAt: 43 },
      { identity: 'five', sequence: 51, time: 52, readAt: 53 },
      none,
    ]);
    expect(
      await ask('SELECT id, monitorID, stream, startTime, endTime, bytes FROM recordings ORDER BY id'),
    ).toEqual([
      ['2027-01-15_08-00-01_door', 'door', 'main', at(1), at(20), null],
      // Its stream ended.
      ['2027-01-15_08-00-30_door', 'door', 'main', at(30), at(50), null],
      // The recorder was killed, and last known to run then.
      ['2027-01-15_08-00-55_door', 'door', 'main', at(55), at(60), null],
    ]);
    const event = {
      id: `new${round}`,
      monitorID: 'door',
      monitorName: 'Door',
      source: 'motion',
      startedUs: at(0),
    };
    const detections = [{ label: 'zone0', score: 60 }];
    const stored = { ...event, time: at(4), storedAt: at(4), detections };
    await database.writer.appendEvents([stored], { identity: 'two', sequence: 21, time: 22, readAt: 23 });
    const ids = ['e1', ...Array.from({ length: round }, (_, index) => `new${index + 1}`)];
    expect((await ask('SELECT id FROM events ORDER BY id')).flat()).toEqual(ids);
    await database.close();
  }
});

test('a start that fails on the way leaves the file as it was', async () => {
  const file = await formerFile();
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run('ALTER TABLE alive RENAME COLUMN began TO begun');
  connection.closeSync();
  instance.closeSync();
  const { broken } = await open(file);
  expect(broken).toContain('began');
  const kept = await DuckDBInstance.create(`${file}.broken`);
  const asking = await kept.connect();
  const found = await asking.runAndReadAll(
    'SELECT (SELECT sequence FROM eventPosition), (SELECT count(*) FROM eventPositionCopy), count(*) FROM log',
  );
  expect(found.getRows()).toEqual([[21n, 0n, 5n]]);
  asking.closeSync();
  kept.closeSync();
});
