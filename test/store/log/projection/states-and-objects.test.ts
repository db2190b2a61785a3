import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DetectedObject, MonitorStatus } from '../../../../bus/messages.ts';
import { deliveryRow, objectRow, statusRow } from '../../../../store/log/projection/rows.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { project } from '../../../support/project.ts';
import { openSnapshot } from '../../../support/statements.ts';

const at = (seconds: number) => 1_800_000_000_000_000 + seconds * 1e6;
const position = (sequence: number) => ({ identity: 's', sequence, time: 0, readAt: 0 });

async function open(file: string) {
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const { rows: ask } = await openSnapshot({ file, database });
  let told = 0;
  /** Tells that monitors entered a state at a second, each with another message. */
  const tell = async (...statuses: [seconds: number, state: MonitorStatus['state'], reason?: string][]) => {
    told += statuses.length;
    await database.states.append(
      statuses.map(([seconds, state, reason = '']) =>
        statusRow(
          { monitorID: 'door', state, reason, recording: false, since: at(seconds) },
          0,
          at(seconds) + 5,
        ),
      ),
      position(told),
    );
  };
  return { database, ask, tell };
}

const file = async () => join(await temporaryFolder(), 'log.duckdb');
const states =
  "SELECT state, startTime, endTime, reconnect FROM states WHERE monitorID = 'door' ORDER BY startTime";

test('states are rows with a beginning and an end, and a stream that is there again after waiting is a reconnect', async () => {
  const { ask, tell } = await open(await file());
  await tell([0, 'connecting'], [2, 'streaming'], [2, 'streaming']);
  await tell([60, 'waiting', 'timed out'], [61, 'connecting', 'timed out'], [64, 'waiting', 'timed out']);
  await tell(
    [70, 'connecting'],
    [72, 'streaming'],
    [100, 'stopping'],
    [101, 'connecting'],
    [102, 'streaming'],
  );
  expect(await ask(states)).toEqual([
    ['connecting', at(0), at(2), false],
    ['streaming', at(2), at(60), false],
    ['waiting', at(60), at(72), false],
    ['streaming', at(72), at(100), true],
    ['stopping', at(100), at(101), false],
    ['connecting', at(101), at(102), false],
    ['streaming', at(102), null, false],
  ]);
  const uptime = `SELECT sum(coalesce(endTime, ${at(110)}) - startTime) FILTER (state = 'streaming') / 1e6,
    count_if(reconnect) FROM states GROUP BY monitorID`;
  expect(await ask(uptime)).toEqual([[58 + 28 + 8, 1]]);
});

test('another reason is a change of its own, and so is each monitor; times grow though the clock goes back', async () => {
  const { database, ask, tell } = await open(await file());
  await tell([10, 'streaming'], [10, 'streaming', 'the sub stream is broken']);
  await tell([5, 'waiting', 'gone']);
  await database.states.append(
    [statusRow({ monitorID: 'yard', state: 'streaming', reason: '', recording: true, since: at(7) }, 0, 0)],
    position(9),
  );
  expect(await ask('SELECT monitorID, state, reason, startTime FROM states ORDER BY 1, startTime')).toEqual([
    ['door', 'streaming', '', at(10)],
    ['door', 'streaming', 'the sub stream is broken', at(10) + 5],
    ['door', 'waiting', 'gone', at(10) + 6],
    ['yard', 'streaming', '', at(7)],
  ]);
});

test('a recorder that was killed did not stream until it began again; a thread that crashed changes nothing', async () => {
  const path = await file();
  const first = await open(path);
  await first.database.life.recordStart(at(0));
  await first.tell([1, 'streaming']);
  await first.database.life.heartbeat(at(60));
  await first.database.close();

  const sameMain = await open(path);
  await sameMain.database.life.recordStart(at(0));
  await sameMain.tell([1, 'streaming']);
  expect(await sameMain.ask(states)).toEqual([['streaming', at(1), null, false]]);
  await sameMain.database.life.heartbeat(at(120));
  // Stored in the minute in which it was killed.
  await sameMain.database.detections.appendObjects([], { ...position(1), readAt: at(150) });
  await sameMain.database.close();

  const nextMain = await open(path);
  await nextMain.database.life.recordStart(at(3600));
  await nextMain.tell([3601, 'connecting'], [3602, 'streaming']);
  expect(await nextMain.ask(states)).toEqual([
    ['streaming', at(1), at(150), false],
    ['stopped', at(150), at(3601), false],
    ['connecting', at(3601), at(3602), false],
    ['streaming', at(3602), null, false],
  ]);
});

test('an object is one row, without an end while it is there', async () => {
  const path = await file();
  const { database, ask } = await open(path);
  await database.life.recordStart(at(0));
  const seen = (id: string, start: number, end: number | null, score = 60): DetectedObject => ({
    id,
    monitorID: 'door',
    label: 'person',
    start: at(start),
    end: end === null ? null : at(end),
    score,
    eventID: `event ${id}`,
  });
  const append = (objects: DetectedObject[], sequence: number) =>
    database.detections.appendObjects(
      objects.map((one) => objectRow(one)),
      position(sequence),
    );
  await append([seen('one', 1, null), seen('two', 2, null)], 2);
  await append([seen('three', 3, null), seen('one', 1, 5, 80), seen('three', 3, 4)], 5);
  const objects = 'SELECT id, startTime, endTime, score, label, eventID FROM objects ORDER BY startTime';
  expect(await ask(objects)).toEqual([
    ['one', at(1), at(5), 80, 'person', 'event one'],
    ['two', at(2), null, 60, 'person', 'event two'],
    ['three', at(3), at(4), 60, 'person', 'event three'],
  ]);
  expect(await database.positions.read('OBJECTS')).toEqual(position(5));
  await database.life.heartbeat(at(60));
  await database.close();

  // Whoever followed it has died with the recorder; what it tells of it later counts.
  const again = await open(path);
  await again.database.life.recordStart(at(100));
  expect(await again.ask("SELECT endTime FROM objects WHERE id = 'two'")).toEqual([[at(60)]]);
  await again.database.detections.appendObjects([objectRow(seen('two', 2, 50))], position(6));
  expect(await again.ask("SELECT endTime FROM objects WHERE id = 'two'")).toEqual([[at(50)]]);
});

test('who recorded a monitor by a clock that was ahead is forgotten once the clock is right', async () => {
  const { database } = await open(await file());
  const tenure = (seconds: number, rank: number, monitorID = 'door') => ({
    time: at(seconds),
    monitorID,
    rank,
  });
  const append = (sequence: number, ...tenures: ReturnType<typeof tenure>[]) =>
    database.detections.appendTenures(tenures, position(sequence));
  const ranks = async (monitorID = 'door') =>
    (await database.catalogue.ranks({ monitorID, start: at(0), end: at(99) })).map(({ time, rank }) => [
      (time - at(0)) / 1e6,
      rank,
    ]);
  await append(1, tenure(1, 10), tenure(2, 10, 'yard'));
  await append(2, tenure(30, -1), tenure(31, 14));
  // The clock is set back.
  await append(3, tenure(20, 14));
  expect(await ranks()).toEqual([
    [1, 10],
    [20, 14],
  ]);
  await append(4, tenure(25, -1), tenure(50, 16), tenure(40, 16), tenure(41, -1));
  expect(await ranks()).toEqual([
    [1, 10],
    [20, 14],
    [25, -1],
    [40, 16],
    [41, -1],
  ]);
  expect(await ranks('yard')).toEqual([[2, 10]]);
});

test('how long it took from the picture to the broker can be asked for each monitor', async () => {
  const { database, ask } = await open(await file());
  const delivery = (id: number, monitorID: string, after: number) => ({
    eventID: `e${id}`,
    monitorID,
    source: 'motion',
    time: at(id),
    storedAt: at(id) + 1000,
    deliveredAt: at(id) + after,
  });
  const report = {
    deliveries: [delivery(1, 'door', 2000), delivery(2, 'door', 4000), delivery(3, 'yard', 9000)],
  };
  await database.detections.appendDeliveries([deliveryRow(report, 0, at(4))], position(1));
  expect(
    await ask(`SELECT monitorID, quantile_cont(deliveredAt - time, 0.5), max(deliveredAt - storedAt), any_value(source)
      FROM deliveries GROUP BY ALL ORDER BY ALL`),
  ).toEqual([
    ['door', 3000, 3000, 'motion'],
    ['yard', 9000, 8000, 'motion'],
  ]);
});

test('a silence that could not be noted is noted later, and one that is over ends', async () => {
  const path = await file();
  const { database } = await LogDatabase.open(path, { machine: 'here', others: ['there'] });
  atEnd(() => database.close());
  const there = database.others.get('there');
  if (!there) throw new Error('nothing of the other machine');
  const { life, tables } = there;
  const silences = async () => {
    const found = await tables.writer.runAndReadAll('SELECT time FROM silence');
    return found.getRows().map(([time]) => Number(time));
  };
  const block = () =>
    tables.writer.run('ALTER TABLE silence RENAME TO kept; CREATE VIEW silence AS SELECT 0 AS no');
  const free = () => tables.writer.run('DROP VIEW silence; ALTER TABLE kept RENAME TO silence');
  await block();
  await life.silent(at(5));
  await life.silent(at(9));
  await free();
  expect(await silences()).toEqual([]);
  await life.noteHearing();
  expect(await silences()).toEqual([at(5)]);

  await block();
  await life.heard();
  await life.silent(at(20));
  await free();
  await life.noteHearing();
  expect(await silences()).toEqual([at(20)]);

  await block();
  await life.heard();
  await free();
  await life.noteHearing();
  expect(await silences()).toEqual([]);
  await life.silent(at(30));
  expect(await silences()).toEqual([at(30)]);
});

test('the oldest states go, but never the one in which a monitor is', async () => {
  const { database, ask, tell } = await open(await file());
  await tell([0, 'connecting'], [1, 'streaming'], [50, 'waiting'], [60, 'streaming']);
  await database.retention.prune(at(55), 1e9);
  expect(await ask(states)).toEqual([
    ['waiting', at(50), at(60), false],
    ['streaming', at(60), null, true],
  ]);
  await database.retention.prune(at(1000), 1e9);
  expect(await ask(states)).toEqual([['streaming', at(60), null, false]]);
  await tell([2000, 'waiting']);
  expect(await ask("SELECT count(*) FROM states WHERE state = 'waiting'")).toEqual([[1]]);
});

test('the questions that the README gives as examples are answered', async () => {
  const { ask, tell } = await open(await file());
  await tell([0, 'streaming']);
  const readme = await readFile(join(project, 'README.md'), 'utf8');
  const [, block = ''] = /```sql\n(.*?)```/s.exec(readme) ?? [];
  const questions = block.split(';').filter((text) => text.trim() !== '');
  expect(questions.length).toBeGreaterThan(3);
  for (const question of questions) expect(Array.isArray(await ask(question)), question).toBe(true);
});
