import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RecordingReport } from '../../../../bus/messages.ts';
import type { Position } from '../../../../store/log/projection/position.ts';
import { RecentReports } from '../../../../store/log/projection/recording-comparison.ts';
import { eventRow, recordingRow } from '../../../../store/log/projection/rows.ts';
import type { CataloguePage } from '../../../../store/log/schema/stored-recordings.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const began = Date.UTC(2027, 0, 15, 8) * 1000;
const lengthUs = 10e6;
const idOf = (n: number) =>
  `${new Date(began / 1000 + n * 10_000).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-')}_door`;

/** What is said of the nth recording. */
function report(n: number, state: RecordingReport['state'] = 'saved', bytes = 1000): RecordingReport {
  const [start, streams] = [began + n * lengthUs, [{ codec: 'h264', width: 320, height: 240 }]];
  return {
    ...{ id: idOf(n), monitorID: 'door', state, start, end: start + lengthUs, bytes, streams, reason: '' },
  };
}

const place = (sequence: number, identity = 'first'): Position => ({
  ...{ identity, sequence, time: 0, readAt: 0 },
});
const page = (sequence: number, numbers: readonly number[], more: Partial<CataloguePage> = {}) => ({
  ...{ identity: 'first', sequence, isLast: true },
  recordings: numbers.map((n) => report(n, 'found')),
  ...more,
});

/** What is known of another machine; with the thread that knows it ended and begun again. */
async function open(file?: string) {
  const path = file ?? join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(path, { machine: 'here', others: ['there'] });
  atEnd(() => database.close());
  const log = database.others.get('there');
  if (!log) throw new Error('nothing of the other machine');
  const { recordings, catalogue } = log;
  return {
    log,
    recordings,
    append: (position: Position, ...reports: RecordingReport[]) =>
      recordings.append(
        reports.map((one) => recordingRow(one, 0, one.end)),
        position,
      ),
    listed: async () =>
      (await catalogue.list({ limit: 10_000, oldestFirst: true })).map(({ start }) =>
        Math.round((start - began) / lengthUs),
      ),
    async reopen() {
      await database.close();
      return open(path);
    },
  };
}

test('what another machine has and was not known is added, what it has no longer is removed with its events kept', async () => {
  const { log, recordings, append, listed } = await open();
  await append(place(4), report(1), report(2), report(3), report(5, 'growing'));
  const event = { id: 'e', monitorID: 'door', monitorName: '', source: 'tflite', time: report(2).start + 1 };
  const detections = [{ label: 'person', score: 90 }];
  await log.writer.appendEvents([eventRow({ ...event, detections }, 0, event.time)], place(1));
  expect(await recordings.isDue()).toBe(true);
  const whole = [0, 1, 3].map((n) => report(n, 'found'));
  const answer = page(4, [], { recordings: [...whole, report(4, 'growing')] });
  expect(await recordings.compare('', answer)).toEqual({ added: 1, removed: 2, next: undefined });
  expect(await listed()).toEqual([0, 1, 3]);
  expect(await log.catalogue.list({ id: idOf(0), limit: 1, oldestFirst: true })).toEqual([
    {
      ...{ id: idOf(0), monitorID: 'door', stream: 'main', start: began, end: began + lengthUs },
      ...{ bytes: 1000, videoCodec: 'h264', width: 320, height: 240, audioCodec: null, reason: '' },
    },
  ]);
  expect(await log.events.list({ limit: 10, oldestFirst: true })).toMatchObject([{ id: 'e' }]);
  expect(await recordings.isDue()).toBe(false);
  // Once more: nothing is doubled. One whose file is back is back, one of another size is as it is there.
  expect(await recordings.compare('', answer)).toMatchObject({ added: 0, removed: 0 });
  const other = { ...page(4, [0, 1, 2]), recordings: [report(0, 'found', 7), ...page(4, [1, 2]).recordings] };
  expect(await recordings.compare('', other)).toMatchObject({ added: 2, removed: 1 });
  expect(await listed()).toEqual([0, 1, 2]);
});

test('what the stream has said since the page has the last word', async () => {
  const { recordings, append, listed } = await open();
  await append(place(10), report(1), report(2));
  // Behind the page: one is deleted, one begins, one ends.
  await append(place(11), report(2, 'deleted'));
  await append(place(13), report(3, 'started'), report(4));
  expect(await recordings.compare('', page(10, [0, 1, 2]))).toMatchObject({ added: 1, removed: 0 });
  expect(await listed()).toEqual([0, 1, 3, 4]);
  // A page ahead of what was read, and one from before all that is remembered, say nothing.
  expect(await recordings.compare('', page(14, []))).toBeUndefined();
  expect(await recordings.compare('', page(9, []))).toBeUndefined();
  expect(await recordings.compare('', page(13, [], { identity: 'second' }))).toBeUndefined();
  expect(await listed()).toEqual([0, 1, 3, 4]);
});

test('a comparison goes in steps, and one that a restart, a gap or another stream interrupts is done anew', async () => {
  const first = await open();
  const ghosts = Array.from({ length: 1200 }, (_, n) => report(n));
  await first.append(place(1200), ...ghosts);
  const half = { ...page(1200, [0, 1]), isLast: false };
  expect(await first.recordings.compare('', half)).toEqual({ added: 0, removed: 0, next: idOf(1) });
  expect(await first.recordings.compare(idOf(1), page(1200, []))).toEqual({
    ...{ added: 0, removed: 1000, next: idOf(1001) },
  });
  expect(await first.recordings.isDue()).toBe(true);

  const again = await first.reopen();
  expect(await again.recordings.isDue()).toBe(true);
  expect(await again.recordings.compare(idOf(1001), page(1200, []))).toBeUndefined();
  expect(await again.recordings.compare('', half)).toMatchObject({ removed: 0 });
  // What becomes of the first ones in a gap is not known.
  await again.append({ ...place(1210), gaps: 1 }, report(1300));
  expect(await again.recordings.compare(idOf(1), page(1210, [1300]))).toMatchObject({ next: undefined });
  expect(await again.recordings.isDue()).toBe(true);
  expect(await again.recordings.compare('', page(1210, [0, 1, 1300]))).toMatchObject({ removed: 0 });
  expect(await again.recordings.isDue()).toBe(false);
  expect(await again.listed()).toEqual([0, 1, 1300]);

  await again.append({ ...place(1220), gaps: 2 });
  expect(await again.recordings.isDue()).toBe(true);
  expect(await again.recordings.compare('', { ...page(1220, [0]), isLast: false })).toMatchObject({});
  await again.append({ ...place(1, 'second'), gaps: 3 });
  expect(await again.recordings.compare(idOf(0), page(1, [], { identity: 'second' }))).toBeUndefined();
  expect(await again.recordings.compare('', page(1, [], { identity: 'second' }))).toMatchObject({
    removed: 3,
  });
  expect(await again.listed()).toEqual([]);
  const last = await again.reopen();
  expect(await last.recordings.isDue()).toBe(false);
});

test('the pages of a machine are those of its list, and say what is still written', async () => {
  const { log, append } = await open();
  await append(place(600), ...Array.from({ length: 600 }, (_, n) => report(n)), report(700, 'growing'));
  const first = await log.catalogue.page('');
  expect(first).toMatchObject({ identity: 'first', sequence: 600, isLast: false });
  expect(first.recordings).toHaveLength(500);
  expect(first.recordings[0]).toEqual(report(0, 'found'));
  const second = await log.catalogue.page(first.recordings.at(-1)?.id ?? '');
  expect(second).toMatchObject({ isLast: true });
  expect(second.recordings.map(({ state }) => state)).toEqual([...Array(100).fill('found'), 'growing']);
});

test('of reports so many are remembered, and none of another stream', () => {
  const recent = new RecentReports();
  const ids = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ id: `${from + n}` }));
  expect(recent.after(5)).toBeUndefined();
  recent.add(ids(0, 9000), place(5));
  recent.add(ids(9000, 500), place(6));
  expect(recent.after(4)).toBeUndefined();
  expect(recent.after(5)?.size).toBe(500);
  recent.add(ids(0, 1), place(7));
  expect([...(recent.after(6) ?? [])]).toEqual(['0']);
  recent.add(ids(20_000, 9600), place(8));
  expect(recent.after(5)).toBeUndefined();
  expect(recent.after(6)?.size).toBe(9601);
  recent.add(ids(30_000, 1), place(2, 'second'));
  expect([recent.after(1), recent.after(2)?.size]).toEqual([undefined, 0]);
});
