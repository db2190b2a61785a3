import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MonitorState, RecordingReport } from '../../../../bus/messages.ts';
import { recordingRow, statusRow } from '../../../../store/log/projection/rows.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

const at = (seconds: number) => 1_800_000_000_000_000 + seconds * 1e6;
const position = (sequence: number) => ({ identity: 's', sequence, time: 0, readAt: 0 });
const file = async () => join(await temporaryFolder(), 'log.duckdb');

/** What is reported of a recording that began so many seconds in, when it ended then. */
function report(
  start: number,
  state: RecordingReport['state'],
  end: number,
  more: Partial<RecordingReport> = {},
): RecordingReport {
  const id = `2027-01-15_08-${String(Math.floor(start / 60)).padStart(2, '0')}-${String(start % 60).padStart(2, '0')}_door`;
  const streams = [{ codec: 'aac' }, { codec: 'h264', width: 320, height: 240 }];
  const [bytes, reason] = [(end - start) * 1000, ''];
  return { id, monitorID: 'door', state, start: at(start), end: at(end), bytes, streams, reason, ...more };
}

const event = (seconds: number) => ({
  ...{ id: `e${seconds}`, monitorID: 'door', monitorName: 'Door', source: 'motion' },
  ...{ time: at(seconds), storedAt: at(seconds) + 200_000, detections: [{ label: 'zone0', score: 1 }] },
});

async function open(path: string) {
  const { database } = await LogDatabase.open(path);
  atEnd(() => database.close());
  let sequence = (await database.positions.read('RECORDINGS')).sequence;
  /** Each report is taken by the bus when what it tells of ended. */
  const append = async (...reports: RecordingReport[]) => {
    sequence += reports.length;
    const rows = reports.map((one) => recordingRow(one, 0, one.end));
    await database.recordings.append(rows, position(sequence));
  };
  const enter = (seconds: number, state: MonitorState) => {
    const status = { monitorID: 'door', state, reason: '', recording: false, since: at(seconds) };
    return database.states.append([statusRow(status, 0, at(seconds))], position(seconds));
  };
  const { rows: ask } = await openSnapshot({ file: path, database });
  const ends = async () => (await ask('SELECT endTime FROM recordings ORDER BY startTime')).flat();
  return { database, append, enter, ask, ends };
}

test('a recording is one row from its first fragment on, with an end once it is saved or lost', async () => {
  const { append, ask } = await open(await file());
  const rows = () => ask('SELECT * EXCLUDE (monitorID, stream, machine) FROM recordings ORDER BY startTime');
  const of = ['aac', ''] as const;
  await append(report(1, 'started', 2));
  expect(await rows()).toEqual([['2027-01-15_08-00-01_door', at(1), null, 1000, 'h264', 320, 240, ...of]]);
  await append(report(1, 'growing', 6), report(1, 'growing', 11));
  expect(await ask('SELECT endTime, bytes FROM recordings')).toEqual([[null, 10_000]]);
  await append(report(1, 'saved', 14), report(14, 'started', 15));
  const reason = 'no space left on the disk';
  await append(report(14, 'lost', 17, { reason, streams: [] }));
  expect(await rows()).toEqual([
    ['2027-01-15_08-00-01_door', at(1), at(14), 13_000, 'h264', 320, 240, ...of],
    ['2027-01-15_08-00-14_door', at(14), at(17), 3000, null, null, null, null, reason],
  ]);
});

test('a report that the bus got twice changes nothing once the recording has its end', async () => {
  const { append, ask } = await open(await file());
  await append(report(1, 'started', 2), report(1, 'saved', 4), report(1, 'growing', 3));
  await append(report(1, 'growing', 3), report(1, 'saved', 4), report(1, 'started', 2));
  await append(report(1, 'saved', 4));
  expect(await ask('SELECT endTime, bytes FROM recordings')).toEqual([[at(4), 3000]]);
});

test('one whose file was found with another size is as it was found, and other reports of it change nothing', async () => {
  const { append, ask } = await open(await file());
  await append(report(1, 'saved', 14), report(20, 'saved', 30));
  await append(report(1, 'found', 9), report(20, 'found', 30));
  await append(report(1, 'saved', 14));
  expect(await ask('SELECT endTime, bytes FROM recordings ORDER BY startTime')).toEqual([
    [at(9), 8000],
    [at(30), 10_000],
  ]);
});

test('one that nobody ended has the end that was last reported, once the next one of its monitor begins', async () => {
  const { append, ends } = await open(await file());
  await append(report(1, 'started', 2), report(1, 'growing', 7));
  await append(report(3, 'started', 4, { id: '2027-01-15_08-00-03_yard', monitorID: 'yard' }));
  expect(await ends()).toEqual([null, null]);
  await append(report(20, 'started', 21));
  expect(await ends()).toEqual([at(7), null, null]);
  // A process that had been cut off from the bus: what it tells late counts.
  await append(report(1, 'saved', 9), report(20, 'saved', 25));
  expect(await ends()).toEqual([at(9), null, at(25)]);
});

test('the recordings of a sub stream are those of another series', async () => {
  const { append, ask } = await open(await file());
  const sub = (start: number) => ({ id: `${report(start, 'started', start).id}_sub` });
  await append(report(1, 'started', 2), report(1, 'saved', 9, sub(1)));
  await append(report(9, 'started', 10, sub(9)));
  expect(await ask('SELECT stream, startTime, endTime FROM recordings ORDER BY stream, startTime')).toEqual([
    ['main', at(1), null],
    ['sub', at(1), at(9)],
    ['sub', at(9), null],
  ]);
  await append(report(20, 'started', 21));
  expect(await ask("SELECT endTime FROM recordings WHERE stream = 'main' ORDER BY id")).toEqual([
    [at(2)],
    [null],
  ]);
  expect(await ask("SELECT endTime FROM recordings WHERE stream = 'sub' ORDER BY id")).toEqual([
    [at(9)],
    [null],
  ]);
});

test('so it has once its monitor streams no longer', async () => {
  const { append, enter, ends } = await open(await file());
  await enter(0, 'connecting');
  await enter(1, 'streaming');
  await append(report(2, 'started', 3), report(2, 'growing', 8));
  expect(await ends()).toEqual([null]);
  await enter(10, 'waiting');
  expect(await ends()).toEqual([at(8)]);
});

test('so it has when the recorder is another one, but not when only its thread is', async () => {
  const path = await file();
  const first = await open(path);
  await first.database.life.recordStart(at(0));
  await first.append(report(2, 'started', 3), report(2, 'growing', 8));
  await first.database.close();

  const sameMain = await open(path);
  await sameMain.database.life.recordStart(at(0));
  expect(await sameMain.ends()).toEqual([null]);
  await sameMain.database.close();

  const nextMain = await open(path);
  await nextMain.database.life.recordStart(at(100));
  // What the bus held of the time before is no sign of life.
  await nextMain.append(report(2, 'growing', 13));
  expect(await nextMain.ends()).toEqual([at(13)]);
  await nextMain.append(report(101, 'started', 102));
  expect(await nextMain.ends()).toEqual([at(13), null]);
});

test('events move once when the clock had been behind, to where another recording was that moves later', async () => {
  const { database, append, ask } = await open(await file());
  await append(report(1, 'saved', 11), report(101, 'saved', 111));
  await database.writer.appendEvents([event(5), event(50), event(105)], position(1));
  await append(report(102, 'found', 112, { formerID: report(1, 'saved', 11).id }));
  await append(report(202, 'found', 212, { formerID: report(101, 'saved', 111).id }));
  const found = await ask('SELECT id, time FROM events ORDER BY time');
  expect(found).toEqual([
    ['e50', at(50)],
    ['e5', at(106)],
    ['e105', at(206)],
  ]);
  const listed = await database.catalogue.list({ limit: 10, oldestFirst: true });
  expect(listed.map(({ start }) => start)).toEqual([at(102), at(202)]);
  // One whose file is gone, nobody knows why, leaves its events.
  await append(report(202, 'deleted', 202, { keepsEvents: true }));
  // Deleted under their new names, they take their events along.
  await append(report(102, 'deleted', 102));
  expect(await ask('SELECT id FROM events ORDER BY time')).toEqual([['e50'], ['e105']]);
});

test('a recording that gets another name and its first one back is the same in one batch and in several', async () => {
  const [one, other] = [report(1, 'saved', 11).id, report(101, 'saved', 111).id];
  const reports = [
    ...[report(1, 'saved', 11), report(101, 'found', 111, { formerID: one })],
    ...[report(1, 'found', 11, { formerID: other }), report(20, 'started', 21)],
  ];
  const [together, apart] = [await open(await file()), await open(await file())];
  for (const { database } of [together, apart]) await database.writer.appendEvents([event(5)], position(1));
  await together.append(...reports);
  for (const each of reports) await apart.append(each);
  for (const { ask } of [together, apart]) {
    expect(await ask('SELECT startTime FROM recordings ORDER BY startTime')).toEqual([[at(1)], [at(20)]]);
    expect(await ask('SELECT time FROM events')).toEqual([[at(5)]]);
  }
});

test('a recording that is there again, or as another file, is the same in one batch and in several', async () => {
  const reports = [
    ...[report(1, 'saved', 11), report(1, 'deleted', 1), report(1, 'found', 9)],
    ...[report(20, 'saved', 30), report(20, 'found', 25), report(20, 'saved', 30)],
    ...[report(40, 'started', 41), report(40, 'deleted', 40), report(40, 'started', 42)],
  ];
  const [together, apart] = [await open(await file()), await open(await file())];
  await together.append(...reports);
  for (const each of reports) await apart.append(each);
  for (const { database } of [together, apart]) {
    const found = await database.catalogue.list({ limit: 10, oldestFirst: true });
    expect(found.map(({ start, end, bytes }) => [start, end, bytes])).toEqual([
      [at(1), at(9), 8000],
      [at(20), at(25), 5000],
      [at(40), null, 2000],
    ]);
  }
});

test('events of another clock stay where they are when the recordings of a wrong one move', async () => {
  const { database, append, ask } = await open(await file());
  await append(report(16, 'saved', 26));
  // The clock was 15 s ahead, and is right when the true ones come.
  const ahead = (seconds: number) => ({ ...event(seconds), startedUs: 15e6 - 200_000 });
  const right = (seconds: number) => ({ ...event(seconds), startedUs: -200_000 });
  await database.writer.appendEvents([ahead(17), right(18), ahead(19)], position(1));
  const startedUs = { former: 15e6, now: 0 };
  const moved = report(1, 'found', 11, { formerID: report(16, 'saved', 26).id, startedUs });
  await append(moved);
  const found = () => ask('SELECT id, time FROM events ORDER BY time');
  expect(await found()).toEqual([
    ['e17', at(2)],
    ['e19', at(4)],
    ['e18', at(18)],
  ]);
  // Of one that was found after five seconds, of before the start of the machine, and of a clock that was further ahead.
  const others = { late: -5e6, before: -86_400e6, ahead: 15e6 };
  for (const [index, [id, us]] of Object.entries(others).entries()) {
    await database.writer.appendEvents([{ ...event(6), id, startedUs: us }], position(2 + index));
  }
  // Set ahead again: what it has said until then moves.
  await database.writer.appendEvents([right(5)], position(9));
  const back = { former: 0, now: 15e6 };
  await append(report(16, 'found', 26, { formerID: moved.id, startedUs: back }));
  expect(await ask('SELECT id, time FROM events ORDER BY time, id')).toEqual([
    ['ahead', at(6)],
    ['before', at(6)],
    ['e17', at(17)],
    ['e18', at(18)],
    ['e19', at(19)],
    ['e5', at(20)],
    ['late', at(21)],
  ]);
  // A correction that a kill cut off before its report does not know the clock of before.
  await append(report(31, 'found', 41, { formerID: report(16, 'saved', 26).id }));
  expect((await found()).slice(-3)).toEqual([
    ['e17', at(32)],
    ['e18', at(33)],
    ['e19', at(34)],
  ]);
});

test('events of a wrong clock move also where its recording began or ended some seconds later or earlier', async () => {
  const { database, append, ask } = await open(await file());
  const of = (seconds: number, startedUs: number) => ({ ...event(seconds), startedUs });
  // The clock was 15 s behind, and the next key frame came four seconds after it was set.
  const behind = [96, 105, 112].map((seconds) => of(seconds, -15e6 - 200_000));
  const right = [95, 97, 111].map((seconds) => of(seconds, -200_000));
  await database.writer.appendEvents([...behind, ...right], position(1));
  await append(report(100, 'saved', 110));
  const startedUs = { former: -15e6, now: 0 };
  await append(report(115, 'found', 125, { formerID: report(100, 'saved', 110).id, startedUs }));
  expect(await ask('SELECT id, time FROM events ORDER BY time, id')).toEqual([
    ['e95', at(95)],
    ['e97', at(97)],
    ['e111', at(111)],
    ['e96', at(111)],
    ['e105', at(120)],
    ['e112', at(127)],
  ]);
});

test('events that are read after their recording has moved have the same times as those before, in another thread too', async () => {
  const path = await file();
  const first = await open(path);
  const of = (seconds: number, startedUs: number) => ({ ...event(seconds), startedUs: startedUs - 200_000 });
  await first.database.writer.appendEvents([of(105, -15e6)], position(1));
  await first.append(report(100, 'saved', 110));
  const [behind, right, ahead] = [-15e6, 0, 15e6];
  const one = report(115, 'found', 125, {
    ...{ formerID: report(100, 'saved', 110).id, startedUs: { former: behind, now: right } },
  });
  await first.append(one);
  // The clock was set once more, which the recording follows.
  const other = { formerID: one.id, startedUs: { former: right, now: ahead } };
  await first.append(report(130, 'found', 140, other));
  await first.database.writer.appendEvents([of(106, behind), of(117, right), of(107, ahead)], position(4));
  await first.database.close();
  const { database, ask } = await open(path);
  await database.writer.appendEvents([of(108, behind), of(36, behind), of(116, behind)], position(7));
  expect(await ask('SELECT id, time FROM events ORDER BY time, id')).toEqual([
    ['e36', at(36)],
    ['e107', at(107)],
    ['e116', at(116)],
    ['e117', at(132)],
    ['e105', at(135)],
    ['e106', at(136)],
    ['e108', at(138)],
  ]);
});

test('those that were deleted go with the log, also if nobody ended them; the others stay', async () => {
  const { database, append, ask } = await open(await file());
  await append(
    ...[report(1, 'started', 2), report(3, 'started', 4)],
    ...[report(5, 'saved', 9), report(9, 'saved', 12)],
    ...[report(30, 'saved', 40), report(50, 'started', 51)],
    ...[report(1, 'deleted', 1), report(5, 'deleted', 5), report(30, 'deleted', 30)],
  );
  await database.retention.prune(at(20), 1e9);
  const starts = async () => (await ask('SELECT startTime FROM recordings ORDER BY 1')).flat();
  expect(await starts()).toEqual([at(3), at(9), at(30), at(50)]);
  const list = async () =>
    (await database.catalogue.list({ limit: 10, oldestFirst: true })).map(({ start }) => start);
  expect(await list()).toEqual([at(3), at(9), at(50)]);
  await database.retention.prune(at(60), 1e9);
  expect(await starts()).toEqual([at(3), at(9), at(50)]);
  expect(await list()).toEqual([at(3), at(9), at(50)]);
});
