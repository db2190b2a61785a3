import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredEvent } from '../../../../store/log/projection/rows.ts';
import { tenureRow } from '../../../../store/log/projection/rows.ts';
import { AllMachines } from '../../../../store/log/worker/all-machines.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

const began = 1_800_000_000_000_000;
const second = 1e6;
const machines = ['a', 'b', 'c'];

/** What each machine has noted: seconds, and what it was from then on. */
interface Machine {
  readonly tenures: readonly { at: number; token: number | null; provisional: boolean }[];
  readonly events: readonly number[];
  /** When its object detector has seen somebody. */
  readonly people?: readonly number[];
}
type Site = Readonly<Record<string, Machine>>;

/** @param readAt the second of the newest message of each machine, 1000 if it is not said. */
async function openSite(
  site: Site,
  machine: string,
  readAt: Readonly<Record<string, number>> = {},
  present: readonly string[] = machines,
) {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const others = machines.filter((other) => other !== machine);
  const { database } = await LogDatabase.open(file, { machine, others });
  atEnd(() => database.close());
  for (const [name, { tenures, events, people = [] }] of Object.entries(site)) {
    const log = name === machine ? database : database.others.get(name);
    const newest = began + (readAt[name] ?? 1000) * second;
    const position = { identity: 's', sequence: 1, time: 0, readAt: newest };
    await log?.detections.appendTenures(
      tenures.map(({ at, ...rest }) => tenureRow({ monitorID: 'door', time: began + at * second, ...rest })),
      position,
    );
    const row = (at: number, source: string, label: string, id: string): StoredEvent => {
      const common = { monitorID: 'door', monitorName: '', source, time: began + at * second };
      return { ...common, id, storedAt: common.time, detections: [{ label, score: 1 }] };
    };
    const rows = [
      ...events.map((at) => row(at, 'motion', 'x', `${name}${at}`)),
      ...people.map((at) => row(at, 'tflite', 'person', `person${name}${at}`)),
    ];
    await log?.writer.appendEvents(rows, position);
  }
  return { database, file, all: new AllMachines(database, present) };
}

async function shown(site: Site, machine = 'a'): Promise<string[]> {
  const { all } = await openSite(site, machine);
  return (await all.events({ limit: 500, oldestFirst: true })).map(({ id }) => id);
}

const owner = { at: 0, token: 5, provisional: false };
const empty: Machine = { tenures: [], events: [] };

test('what a machine that has left has seen hides nothing, because it cannot be played', async () => {
  const site: Site = {
    a: { tenures: [owner], events: [5, 50] },
    b: { tenures: [{ at: 4, token: 6, provisional: false }], events: [5] },
    c: empty,
  };
  const listed = async (present: readonly string[]) => {
    const { all } = await openSite(site, 'a', {}, present);
    return (await all.events({ limit: 500, oldestFirst: true })).map(({ id }) => id).sort();
  };
  expect(await listed(machines)).toEqual(['a50', 'b5']);
  expect(await listed(['a', 'c'])).toEqual(['a5', 'a50', 'b5']);
  expect(await listed(['a'])).toEqual(['a5', 'a50', 'b5']);
});

test('of what an owner that was cut off and its stand-in both see, the stand-in is shown, the rest of the owner', async () => {
  const site: Site = {
    a: { tenures: [owner], events: [1, 2, 4, 5, 90, 91] },
    b: {
      tenures: [
        { at: 4, token: 5, provisional: true },
        { at: 9, token: 6, provisional: false },
      ],
      events: [5, 6, 7],
    },
    c: empty,
  };
  // The owner has seen at 90 s what the other machine has missed.
  const once = ['a1', 'a2', 'b5', 'b6', 'b7', 'a90', 'a91'];
  expect(await shown(site)).toEqual(once);
  expect(await shown(site, 'b')).toEqual(once);
  const { all, database, file } = await openSite(site, 'c');
  expect((await all.events({ limit: 500, oldestFirst: false })).map(({ id }) => id)).toEqual(
    [...once].reverse(),
  );
  const { rows } = await openSnapshot({ file, database });
  expect((await rows('SELECT id FROM events ORDER BY time')).flat()).toEqual(once);
  const occurrences = await all.occurrences({ limit: 10, oldestFirst: true });
  expect(
    occurrences.map(({ start, end, events }) => [(start - began) / second, (end - began) / second, events]),
  ).toEqual([
    [1, 7, 5],
    [90, 91, 2],
  ]);
  const timeline = await all.timeline({
    monitors: [],
    start: began,
    end: began + 100 * second,
    bucket: second,
  });
  expect(timeline.monitors[0]?.events['x']).toEqual([1, 2, 5, 6, 7, 90, 91].map((at) => [at, 1]));
  // One machine that is asked for by itself shows all that it has seen.
  const own = await all.events({ machines: ['a'], limit: 500, oldestFirst: true });
  expect(own.map(({ id }) => id)).toEqual(['a1', 'a2', 'a4', 'a5', 'a90', 'a91']);
  expect((await all.events({ id: 'a5', limit: 1, oldestFirst: true })).map(({ id }) => id)).toEqual(['a5']);
});

test('somebody whom one machine alone has seen is shown, whatever else the other has seen then', async () => {
  const site: Site = {
    a: { tenures: [owner], events: [5], people: [5.5, 20] },
    b: { tenures: [{ at: 4, token: 6, provisional: false }], events: [5, 6], people: [20] },
    c: empty,
  };
  expect(await shown(site)).toEqual(['b5', 'persona5.5', 'b6', 'personb20']);
});

test('during a planned move the owner is shown until the other one is it', async () => {
  const site: Site = {
    a: { tenures: [owner, { at: 10, token: null, provisional: false }], events: [1, 5, 9] },
    b: {
      tenures: [
        { at: 4, token: 0, provisional: true },
        { at: 8, token: 7, provisional: false },
      ],
      events: [5, 9, 13],
    },
    c: empty,
  };
  expect(await shown(site)).toEqual(['a1', 'a5', 'b9', 'b13']);
});

test('where the higher token changes while both go on, no moment is without an event', async () => {
  const each = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
  const site: Site = {
    a: { tenures: [owner, { at: 20, token: null, provisional: false }], events: each(1, 19) },
    b: {
      tenures: [
        { at: 4, token: 0, provisional: true },
        { at: 12, token: 7, provisional: false },
      ],
      events: each(5, 25),
    },
    c: empty,
  };
  const once = [...each(1, 11).map((at) => `a${at}`), ...each(14, 25).map((at) => `b${at}`)];
  expect(await shown(site)).toEqual(once);
  expect(await shown(site, 'b')).toEqual(once);
});

test('a machine that never returns records nothing beside another one from then on', async () => {
  const site: Site = {
    a: { tenures: [owner], events: [1, 5] },
    b: { tenures: [{ at: 4, token: 6, provisional: false }], events: [5, 6, 500] },
    c: empty,
  };
  const { all, database } = await openSite(site, 'b', { a: 7 });
  expect((await all.events({ limit: 500, oldestFirst: true })).map(({ id }) => id)).toEqual([
    'a1',
    'b5',
    'b6',
    'b500',
  ]);
  const schemas = [
    { machine: 'a', schema: database.others.get('a')?.tables.schema ?? '' },
    { machine: 'b', schema: database.tables.schema },
  ];
  const isJoint = (from: number) => database.events.isJoint({ start: began + from * second }, schemas);
  expect([await isJoint(0), await isJoint(60)]).toEqual([true, false]);
});

const machine = fc.record({
  tenures: fc
    .array(
      fc.record({
        at: fc.nat({ max: 200 }),
        token: fc.option(fc.nat({ max: 9 })),
        provisional: fc.boolean(),
      }),
      { maxLength: 4 },
    )
    .map((tenures) =>
      [...new Map(tenures.map((each) => [each.at, each])).values()].sort((x, y) => x.at - y.at),
    ),
  events: fc
    .uniqueArray(fc.nat({ max: 250 }), { maxLength: 12 })
    .map((events) => events.sort((x, y) => x - y)),
});

test('whoever has seen what: no moment is lost, and all machines show the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ a: machine, b: machine, c: machine }), async (site) => {
      const once = await shown(site);
      expect(await shown(site, 'c')).toEqual(once);
      const times = once.map((id) => Number(id.slice(1)));
      for (const at of Object.values(site).flatMap(({ events }) => events)) {
        // Hidden only beside or between what others have seen.
        const isTold =
          times.some((time) => Math.abs(time - at) <= 4) ||
          (times.some((time) => time < at && at - time <= 32) &&
            times.some((time) => time > at && time - at <= 32));
        expect(isTold, `${at} of ${JSON.stringify(site)}`).toBe(true);
      }
    }),
    { numRuns: 15 },
  );
});

test('a page has what comes first, also behind many events that another machine shows', async () => {
  const often = Array.from({ length: 119 }, (_, n) => (n + 1) / 20);
  const site: Site = {
    a: { tenures: [owner], events: often, people: [3.02] },
    b: { tenures: [{ at: 0, token: 6, provisional: false }], events: [0, 6] },
    c: empty,
  };
  const { all } = await openSite(site, 'a');
  for (const oldestFirst of [true, false]) {
    const page = await all.events({ limit: 2, oldestFirst });
    const ids = ['b0', 'persona3.02', 'b6'];
    expect(page.map(({ id }) => id)).toEqual((oldestFirst ? ids : ids.reverse()).slice(0, 2));
  }
});
