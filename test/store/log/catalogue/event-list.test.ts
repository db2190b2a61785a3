import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventFilter } from '../../../../store/log/catalogue/event-list.ts';
import { type StoredEvent, tenureRow } from '../../../../store/log/projection/rows.ts';
import { AllMachines } from '../../../../store/log/worker/all-machines.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const second = 1e6;
const began = 1_800_000_000 * second;
const position = { identity: 's', sequence: 1, time: 0, readAt: began + 1000 * second };

/** An event of this second of two detections, so that it has two rows. */
const event = (id: string, at: number, label = 'person', monitorID = 'door'): StoredEvent => ({
  ...{ id, monitorID, monitorName: '', source: 'tflite', time: began + at * second, storedAt: began },
  detections: [
    { label, score: 90 },
    { label: 'shadow', score: 10 },
  ],
});

/** Machine `b` has recorded the door beside `a` all the time, and is the one to be shown. */
async function openSite(events: Readonly<Record<'a' | 'b', readonly StoredEvent[]>>) {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file, { machine: 'a', others: ['b'] });
  atEnd(() => database.close());
  const logs = { a: database, b: database.others.get('b') };
  for (const [name, token] of [
    ['a', 5],
    ['b', 6],
  ] as const) {
    const tenure = tenureRow({ monitorID: 'door', time: began, token, provisional: false });
    await logs[name]?.detections.appendTenures([tenure], position);
    await logs[name]?.writer.appendEvents(events[name], position);
  }
  return new AllMachines(database, ['a', 'b']);
}

/** All pages, each asked for from the last time of the one before on, which is left out. */
async function pagesOf(all: AllMachines, filter: Omit<EventFilter, 'start' | 'end'>): Promise<string[][]> {
  const pages: string[][] = [];
  for (let border: { start?: number; end?: number } = {}; ; ) {
    const page = await all.events({ ...filter, ...border });
    const last = page.at(-1);
    if (!last) return pages;
    pages.push(page.map(({ id }) => id));
    for (const { detections } of page) expect(detections).toHaveLength(2);
    border = filter.oldestFirst ? { start: last.time + 1 } : { end: last.time };
  }
}

test('a page has all events of its last time, in both orders and of those that match', async () => {
  const all = await openSite({
    a: [
      ...[event('a1', 1), event('a2', 2), event('b2', 2), event('c2', 2), event('cat2', 2, 'cat')],
      ...[event('a3', 3), event('b3', 3), event('a4', 4)],
    ],
    b: [],
  });
  const filter = { labels: ['person'], limit: 2 };
  expect(await pagesOf(all, { ...filter, oldestFirst: false })).toEqual([
    ['a4', 'b3', 'a3'],
    ['c2', 'b2', 'a2'],
    ['a1'],
  ]);
  expect(await pagesOf(all, { ...filter, oldestFirst: true })).toEqual([
    ['a1', 'a2', 'b2', 'c2'],
    ['a3', 'b3'],
    ['a4'],
  ]);
  expect(await pagesOf(all, { limit: 100, oldestFirst: true })).toHaveLength(1);
});

test('a page of several machines has what all of them have of its last time, and nothing twice', async () => {
  const all = await openSite({
    a: [
      ...[event('a1', 1, 'cat', 'yard'), event('a2', 2, 'cat', 'yard'), event('b2', 2, 'cat', 'yard')],
      // Seen by the other machine as well.
      ...[event('hidden', 40), event('a60', 60, 'cat', 'yard')],
    ],
    b: [event('c2', 2), event('d2', 2), event('c40', 40), event('d40', 40), event('e40', 40)],
  });
  const pages = await pagesOf(all, { limit: 2, oldestFirst: false });
  expect(pages).toEqual([['a60', 'e40', 'd40', 'c40'], ['b2', 'a2', 'd2', 'c2'], ['a1']]);
});
