import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { RecordingReport } from '../../../../bus/messages.ts';
import { Bus } from '../../../../bus/nats/bus.ts';
import { openTap } from '../../../../bus/nats/bus-tap.ts';
import { machineToken } from '../../../../bus/nats/control/machine-token.ts';
import { ensureStreams } from '../../../../bus/nats/jetstream.ts';
import { embeddedBus, startNatsServer } from '../../../../bus/nats/nats-server.ts';
import { formatRecordingID } from '../../../../bus/recording-id.ts';
import { events, history, recordings } from '../../../../bus/subjects.ts';
import type { LogStore, MachineEntry } from '../../../../store/log/log-store.ts';
import type { SiteFilter } from '../../../../store/log/worker/all-machines.ts';
import { silentLogger } from '../../../support/bus.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { entry, machine, messages, start, startTestLog, store } from '../../../support/test-log.ts';
import { waitFor } from '../../../support/wait.ts';

const other = 'nvr2.LAN';

/** The bus of another machine. Here it is asked by itself; in a cluster, the control servers are in between. */
async function startOther(name = other, folder?: string) {
  const dir = folder ?? join(await temporaryFolder(), 'bus');
  const kind = embeddedBus({ domain: machineToken(name), config: '' });
  const server = await startNatsServer({ dir, log: silentLogger().source('app'), kind });
  onTestFinished(() => server.stop());
  const bus = await Bus.connect(server.address, 'test');
  onTestFinished(() => bus.close());
  await ensureStreams(bus);
  return { dir, server, bus, site: { address: server.address, others: [name] } };
}

const theirs = (n: number, fields: Partial<MachineEntry> = {}) => entry(n, { machine: other, ...fields });

async function startBoth() {
  const there = await startOther();
  const here = await startTestLog();
  const log = await here.open({ site: there.site });
  log.hear([other]);
  const has = (count: number) => async () =>
    (await log.query({ machines: [other], limit: 10_000 })).length === count;
  const arrived = (count: number) => waitFor(has(count), 10_000, `${count} entries of the other machine`);
  return { ...there, here, log, arrived };
}

test('a page has the entries of all machines by time, and all of its last time', async () => {
  const { bus, here, log, arrived } = await startBoth();
  await store(here.bus, entry(1), entry(3), entry(5));
  await store(bus, theirs(1), theirs(2), theirs(3));
  await arrived(3);
  const all = await log.query({});
  expect(all.map((each) => [each.msg, each.machine])).toEqual([
    ['entry 5', machine],
    ['entry 3', machine],
    ['entry 3', other],
    ['entry 2', other],
    ['entry 1', machine],
    ['entry 1', other],
  ]);
  const paged: MachineEntry[] = [];
  for (let time = Number.MAX_SAFE_INTEGER; ; time = paged.at(-1)?.time ?? 0) {
    const page = await log.query({ time, limit: 2 });
    if (page.length === 0) break;
    paged.push(...page);
  }
  expect(paged).toEqual(all);
  expect(messages(await log.query({ machines: [other], limit: 1 }))).toEqual(['entry 3']);
  expect(await log.query({ machines: ['nobody'] })).toEqual([]);
  expect(await log.stats({ filter: {}, group: ['level'] })).toEqual([{ level: 'info', count: 6 }]);
  expect(await log.stats({ filter: {}, group: ['machine'] })).toEqual([
    { machine, count: 3 },
    { machine: other, count: 3 },
  ]);
  expect(await log.stats({ filter: { machines: ['nobody'] }, group: [] })).toEqual([{ count: 0 }]);
  const exported: Uint8Array[] = [];
  for await (const piece of log.export({}, 'csv')) exported.push(piece);
  expect(Buffer.concat(exported).toString().split('\r\n')).toHaveLength(8);
});

test('SQL and lists have the rows of all machines, and what one machine knows it is asked of', async () => {
  const { bus, here, log, arrived } = await startBoth();
  const found = {
    id: 'e',
    monitorID: 'door',
    monitorName: '',
    source: 'tflite',
    detections: [{ label: 'cat', score: 1 }],
  };
  await here.bus.store(events, ['door', 'tflite'], { ...found, time: start }, 'own');
  await bus.store(events, ['door', 'tflite'], { ...found, id: 'f', time: start + 1 }, 'f');
  const state = {
    monitorID: 'door',
    state: 'streaming',
    reason: '',
    recording: false,
    since: start,
  } as const;
  await bus.store(history, ['door'], state, randomUUID());
  const recording = {
    id: '2026-11-26_10-00-00_door',
    monitorID: 'door',
    start,
    end: start + 5e6,
    bytes: 7,
    streams: [],
    reason: '',
  };
  await bus.store(recordings, ['door'], { ...recording, state: 'saved' }, randomUUID());
  await store(bus, theirs(1));
  await arrived(1);
  const { signal } = new AbortController();
  const rows = async (sql: string) => (await log.sql(sql, signal)).rows;
  await waitFor(async () => (await rows('FROM events')).length === 2, 10_000, 'both events');
  expect(await rows('SELECT id, machine FROM events ORDER BY id')).toEqual([
    ['e', machine],
    ['f', other],
  ]);
  expect(await rows('SELECT msg, machine FROM logs')).toEqual([['entry 1', other]]);
  expect(await rows('SELECT state, machine FROM states')).toEqual([['streaming', other]]);
  expect(await rows('SELECT id, machine FROM recordings')).toEqual([[recording.id, other]]);
  const list = await log.events({ limit: 10, oldestFirst: false });
  expect(list.map(({ id, machine: of }) => [id, of])).toEqual([
    ['f', other],
    ['e', machine],
  ]);
  expect(await log.events({ limit: 10, oldestFirst: false, machines: [machine] })).toHaveLength(1);
  const occurrences = await log.occurrences({ limit: 10, oldestFirst: false });
  expect(occurrences.map(({ events: count }) => count)).toEqual([2]);
  expect(await log.stats({ filter: {}, group: ['machine'] })).toEqual([{ machine: other, count: 1 }]);
  // The recordings that are on this machine's disk.
  expect(await log.recordings({ limit: 10, oldestFirst: false })).toEqual([]);
});

test('those who follow get what another machine logs as it comes, and resume after each machine by itself', async () => {
  const { bus, here, log, arrived } = await startBoth();
  const heard: MachineEntry[] = [];
  log.follow((entries) => heard.push(...entries));
  // The thread follows from here on.
  await log.query({});
  await store(here.bus, entry(10));
  await store(bus, theirs(3));
  await arrived(1);
  await waitFor(() => heard.length === 2, 5000, 'both');
  // Logged before, and arrives after what the client has had.
  await store(bus, theirs(5));
  await arrived(2);
  const resumed: MachineEntry[] = [];
  const after = (of: string) => (of === machine ? start + 10 : start + 3);
  log.followAfter(after, {}, (entries) => void resumed.push(...entries));
  await waitFor(() => resumed.length === 1, 5000, 'the one that was missing');
  await store(bus, theirs(6));
  await store(here.bus, entry(11));
  await waitFor(() => resumed.length === 3, 5000, 'two more');
  expect(messages(resumed.filter((each) => each.machine === other))).toEqual(['entry 5', 'entry 6']);
});

test('every entry is there once after the bus of the other machine and this store were killed', async () => {
  const { server, bus, here, log, arrived, site } = await startBoth();
  await store(bus, theirs(1), theirs(2));
  await arrived(2);
  server.restart();
  await waitFor(() => !bus.connected, 5000, 'the end of the server');
  await waitFor(() => bus.connected, 10_000, 'the server');
  await waitFor(() => store(bus, theirs(3)).then(() => true), 10_000, 'its streams');
  await waitFor(
    async () => (await log.query({ machines: [other] })).length >= 3,
    30_000,
    'the entry after it',
  );
  await log.close();
  await store(bus, theirs(4));
  const again = await here.open({ site });
  again.hear([other]);
  await waitFor(
    async () => (await again.query({ machines: [other] })).length >= 4,
    30_000,
    'the entry meanwhile',
  );
  expect(messages(await again.query({}))).toEqual(['entry 4', 'entry 3', 'entry 2', 'entry 1']);
  expect(here.errors).toEqual([]);
});

test('a stream of another machine that ends each time at once is asked for after longer and longer pauses', async () => {
  const { server, bus, site } = await startOther();
  const manager = await bus.jetStream.manager;
  const { config } = await manager.streams.info('LOGS');
  await manager.streams.delete('LOGS');
  await manager.streams.add({ ...config, max_consumers: 1 });
  await manager.consumers.add('LOGS', { durable_name: 'the_only_one' });
  let attempts = 0;
  const tap = await openTap(server.address, '$JS.API.STREAM.INFO.LOGS', () => {
    attempts += 1;
  });
  onTestFinished(() => tap.close());
  const here = await startTestLog();
  const log = await here.open({ site });
  const turns = 30;
  for (let turn = 0; turn < turns; turn += 1) await sleep(100);
  // One that is not heard may be off, or a tie-breaker, which has no streams.
  expect(attempts).toBe(0);
  log.hear([other]);
  await waitFor(() => attempts > 1, 10_000, 'a second attempt');
  for (let turn = 0; turn < turns; turn += 1) await sleep(100);
  expect(attempts).toBeLessThan(turns / 2);
  await store(bus, theirs(1));
  await manager.consumers.delete('LOGS', 'the_only_one');
  await waitFor(async () => (await log.query({ machines: [other] })).length === 1, 30_000, 'the entry');
});

test('rows of a machine that is no longer in the list stay, and no answer waits for one that is off', async () => {
  const { bus, here, log, arrived, server } = await startBoth();
  await store(bus, theirs(1));
  await arrived(1);
  await server.stop();
  await store(here.bus, entry(2));
  expect(messages(await log.query({}))).toEqual(['entry 2', 'entry 1']);
  await log.close();
  const alone = await here.open();
  expect(messages(await alone.query({}))).toEqual(['entry 2', 'entry 1']);
  expect(
    (await alone.sql('SELECT machine FROM logs ORDER BY time', new AbortController().signal)).rows,
  ).toEqual([[other], [machine]]);
});

test('a machine that was given another name, and back, has its rows once, under the name that it has', async () => {
  const there = await startOther();
  const here = await startTestLog();
  const names = [other, 'nvr9', other];
  let { server, bus, site } = there;
  for (const [round, name] of names.entries()) {
    if (round > 0) {
      await server.stop();
      ({ server, bus, site } = await startOther(name, there.dir));
    }
    await store(bus, entry(round));
    const log = await here.open({ site });
    log.hear([name]);
    const expected = names.slice(0, round + 1).map((_, n) => [`entry ${n}`, name]);
    const all = async () => (await log.query({})).map(({ msg, machine: of }) => [msg, of]).reverse();
    await waitFor(async () => JSON.stringify(await all()) === JSON.stringify(expected), 20_000, name);
    const { rows } = await log.sql(
      'SELECT msg, machine FROM logs ORDER BY time',
      new AbortController().signal,
    );
    expect(rows).toEqual(expected);
    await log.close();
  }
  // Each time it was noticed, the log was opened anew.
  expect(here.errors.map(({ code }) => code)).toEqual(['log_thread_ended', 'log_thread_ended']);
});

test('recordings of all machines are one list and one timeline, and what an absent one was writing has ended', async () => {
  const { bus, here, log, site } = await startBoth();
  const report = (second: number, state: RecordingReport['state'], seconds: number): RecordingReport => ({
    id: formatRecordingID({ startMs: first + second * 1000, monitorID: 'door', stream: 'main' }),
    ...{ monitorID: 'door', state, start: (first + second * 1000) * 1000 },
    ...{ end: (first + (second + seconds) * 1000) * 1000, bytes: 7, streams: [], reason: '' },
  });
  /** Seconds after this one are in the ids. */
  const first = Math.floor(start / 1e6) * 1000;
  const save = (of: Bus, each: RecordingReport) => of.store(recordings, ['door'], each, randomUUID());
  for (const [of, second] of [
    [here.bus, 0],
    [bus, 0],
    [here.bus, 20],
  ] as const)
    await save(of, report(second, 'saved', 10));
  await save(bus, report(40, 'growing', 5));
  const list = async (more: Partial<SiteFilter> = {}) => {
    const found = await log.siteRecordings({ limit: 10, oldestFirst: true, ...more });
    return found.map(({ start: from, end, machine: of }) => [
      of,
      from / 1e6 - first / 1000,
      end === null ? null : end / 1e6 - first / 1000,
    ]);
  };
  const all = [
    [machine, 0, 10],
    [other, 0, 10],
    [machine, 20, 30],
    [other, 40, null],
  ];
  await waitFor(async () => (await list()).length === all.length, 10_000, 'all recordings');
  expect(await list()).toEqual(all);
  const ids = [0, 0, 20, 40].map((at, index) => `${report(at, 'saved', 1).id}@${all[index]?.[0]}`);
  for (const [index, id] of ids.entries()) {
    expect(await list({ after: id })).toEqual(all.slice(index + 1));
    expect(await list({ after: id, limit: 1 })).toEqual(all.slice(index + 1, index + 2));
    expect(await list({ before: id, oldestFirst: false })).toEqual(all.slice(0, index).reverse());
  }
  // An id without a machine is of both.
  expect(await list({ after: report(0, 'saved', 1).id })).toEqual(all.slice(2));
  expect(await list({ heard: [machine] })).toEqual([...all.slice(0, 3), [other, 40, 45]]);
  expect(await list({ heard: [machine], start: (first + 46_000) * 1000 })).toEqual([]);

  const question = { monitors: [], start: first * 1000, end: (first + 60_000) * 1000, bucket: 1e6 };
  const recorded = async (heard?: readonly string[]) => (await log.timeline({ ...question, heard })).monitors;
  expect(await recorded()).toEqual([
    {
      id: 'door',
      recorded: [
        [0, 9],
        [20, 29],
        [40, 59],
      ],
      events: {},
    },
  ]);
  expect(await recorded([machine])).toMatchObject([
    {
      recorded: [
        [0, 9],
        [20, 29],
        [40, 44],
      ],
    },
  ]);
  // Of this machine alone.
  expect(await log.recordings({ limit: 10, oldestFirst: true })).toHaveLength(2);

  // What is left of a cluster that is no more cannot be had, and is not shown.
  const detections = [{ label: 'cat', score: 1 }];
  const event = { id: 'e', monitorID: 'door', monitorName: '', source: 'tflite', time: question.start + 5e6 };
  await bus.store(events, ['door', 'tflite'], { ...event, detections }, 'e');
  const shownIn = async (one: LogStore) =>
    (await one.events({ limit: 10, oldestFirst: true })).map((found) => found.recording);
  await waitFor(async () => (await shownIn(log)).length === 1, 10_000, 'the event');
  expect(await shownIn(log)).toEqual([report(0, 'saved', 1).id]);
  await log.close();
  // Alone again, or with others.
  for (const left of [undefined, { ...site, others: ['nvr9'] }]) {
    const one = await here.open({ site: left });
    expect(await shownIn(one)).toEqual([null]);
    expect((await one.siteRecordings({ limit: 10, oldestFirst: true })).map((each) => each.machine)).toEqual([
      machine,
      machine,
    ]);
    expect((await one.timeline(question)).monitors).toEqual([
      {
        id: 'door',
        recorded: [
          [0, 9],
          [20, 29],
        ],
        events: {},
      },
    ]);
    await one.close();
  }
});
