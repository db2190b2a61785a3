import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatRecordingID } from '../../../../bus/recording-id.ts';
import type { RecordingFilter } from '../../../../store/log/catalogue/recording-catalogue.ts';
import type { StoredRecording } from '../../../../store/log/projection/rows.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const second = 1_000_000;
const day = 86_400 * second;
const now = Math.floor(Date.now() / 1000) * second;
const random = (below: number) => Math.floor(Math.random() * below);

const seriesOf = ({ id, monitorID }: StoredRecording) => `${monitorID} ${id.endsWith('_sub')}`;

/** Now and then many, then none for months; some begin in one second, and some are from the future. */
const recordings = Array.from({ length: 400 }, (): StoredRecording => {
  const bursts = [-1, 0, 2, 30, 200, 500];
  const time = now - (bursts[random(bursts.length)] ?? 0) * day - random(5000) * 10 * second + random(second);
  const monitorID = `camera${random(3)}`;
  const id = formatRecordingID({ startMs: time / 1000, monitorID, stream: random(4) === 0 ? 'sub' : 'main' });
  const endTime = time + random(100) * second;
  return {
    id,
    monitorID,
    state: random(10) === 0 ? 'growing' : 'saved',
    time,
    endTime,
    bytes: 1,
    streams: [],
    reason: '',
    reportedAt: time,
  };
});

test('a page of recordings is the one that all of them in their order have there', async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const before = await LogDatabase.open(file);
  const stored = [...new Map(recordings.map((each) => [each.id, each])).values()].sort(
    (a, b) => a.time - b.time,
  );
  const removed = stored.filter((_, index) => index % 5 === 0);
  const deleted = removed.map((each): StoredRecording => ({ ...each, state: 'deleted' }));
  const position = { identity: 'a', sequence: 1, time: 1, readAt: 1 };
  // Some are known when it is opened, the others are learned; some end in another batch than they begin.
  const half = stored.length >> 1;
  const begun = stored.slice(half).filter((each, index) => each.state === 'saved' && index % 4 === 0);
  await before.database.recordings.append([...stored.slice(0, half), ...deleted.slice(0, 3)], position);
  await before.database.close();
  const { database } = await LogDatabase.open(file);
  await database.recordings.append(
    begun.map((each) => ({ ...each, state: 'growing' })),
    position,
  );
  await database.recordings.append([...stored.slice(half), ...deleted.slice(3)], position);
  const nextOf = (one: StoredRecording) =>
    stored.some((each) => each.time > one.time && seriesOf(each) === seriesOf(one));
  const endOf = (one: StoredRecording) => (one.state === 'saved' || nextOf(one) ? one.endTime : null);
  const left = stored.filter((each) => !removed.includes(each)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const anyID = () => recordings[random(recordings.length)]?.id ?? '';
  const maybe = <Value>(value: Value): Value | undefined => (random(2) === 0 ? value : undefined);
  for (let round = 0; round < 80; round += 1) {
    const chosen = {
      before: maybe(anyID()),
      after: maybe(anyID()),
      start: maybe(now - random(600) * day),
      end: maybe(now - random(600) * day),
      monitors: maybe(['camera1', 'camera2']),
      stream: maybe('main' as const),
    };
    const filter = {
      ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)),
      ...{ limit: 1 + random(60), oldestFirst: random(2) === 0 },
    } as RecordingFilter;
    const { before, after, start, end, monitors, stream, limit } = filter;
    const matching = left.filter(
      (each) =>
        (before === undefined || each.id < before) &&
        (after === undefined || each.id > after) &&
        (start === undefined || (endOf(each) ?? Number.POSITIVE_INFINITY) > start) &&
        (end === undefined || each.time < end) &&
        (!monitors || monitors.includes(each.monitorID)) &&
        (!stream || !each.id.endsWith('_sub')),
    );
    const page = (filter.oldestFirst ? matching : matching.reverse()).slice(0, limit);
    const found = await database.catalogue.list(filter);
    expect(
      found.map(({ id, end: ended }) => [id, ended]),
      JSON.stringify(filter),
    ).toEqual(page.map((each) => [each.id, endOf(each)]));
  }
  for (const each of stored.slice(0, 20)) {
    const found = await database.catalogue.list({ id: each.id, limit: 1, oldestFirst: true });
    expect(found.map(({ id, end }) => [id, end])).toEqual(
      left.includes(each) ? [[each.id, endOf(each)]] : [],
    );
  }
  await database.close();
}, 60_000);
