import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry, LogLevel } from '../../../bus/messages.ts';
import { Bus } from '../../../bus/nats/bus.ts';
import { ensureStreams, streamRange } from '../../../bus/nats/jetstream.ts';
import { type NatsServer, startNatsServer } from '../../../bus/nats/nats-server.ts';
import { logs } from '../../../bus/subjects.ts';
import { type LogFilter, LogStore, type LogStoreError, matchesFilter } from '../../../store/log/log-store.ts';
import { startChild } from '../../support/child.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { project } from '../../support/project.ts';
import { waitFor } from '../../support/wait.ts';

interface Bench {
  readonly folder: string;
  readonly file: string;
  readonly server: NatsServer;
  readonly bus: Bus;
  readonly errors: LogStoreError[];
  open(): Promise<LogStore>;
}

async function startBench(): Promise<Bench> {
  const folder = await temporaryFolder();
  const server = await startNatsServer({ dir: join(folder, 'bus'), log: new Logger(() => {}).source('app') });
  atEnd(() => server.stop());
  const bus = await Bus.connect(server.address, 'test');
  atEnd(() => bus.close());
  await ensureStreams(bus);
  const file = join(folder, 'logs.duckdb');
  const errors: LogStoreError[] = [];
  const open = async () => {
    const store = await LogStore.open({
      file,
      bus: server.address,
      logs: { maxAgeDays: 30, maxSizeMegabytes: 100 },
      onError: (error) => errors.push(error),
    });
    atEnd(() => store.close());
    return store;
  };
  return { folder, file, server, bus, errors, open };
}

// An hour ago: older entries would be pruned.
const start = nowUs() - 3600e6;
const entry = (n: number, fields: Partial<LogEntry> = {}): LogEntry => ({
  level: 'info',
  time: start + n,
  msg: `entry ${n}`,
  src: 'app',
  monitorID: '',
  ...fields,
});

async function store(bus: Bus, ...entries: LogEntry[]): Promise<void> {
  await Promise.all(
    entries.map((each) => bus.store(logs, [each.level, each.src, each.monitorID], each, randomUUID())),
  );
}

/** Publishes one after the other, and again what was not acknowledged, as the loggers do. */
async function storeSurely(bus: Bus, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; ) {
    try {
      await bus.store(logs, ['info', 'app', ''], entry(n), `sure${n}`);
      n += 1;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The store that `open` makes, its thread, and a way to make that fail. */
async function openWithThread({ open }: Bench) {
  let thread: Worker | undefined;
  const remember = (worker: Worker) => {
    thread = worker;
  };
  process.on('worker', remember);
  const log = await open();
  process.off('worker', remember);
  if (!thread) throw new Error('no thread was made');
  const running = thread;
  const crash = async () => {
    const ended = once(running, 'exit');
    // No message of ours: the thread fails on it as it would on any mistake in it.
    running.postMessage(null);
    expect(await ended).toEqual([1]);
  };
  return { log, thread, crash };
}

const messages = (entries: readonly LogEntry[]) => entries.map(({ msg }) => msg);
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, k) => `entry ${from + k}`);

function expectIncreasing(times: readonly number[]): void {
  for (const [k, time] of times.entries()) if (k > 0) expect(time).toBeGreaterThan(times[k - 1] ?? 0);
}

test('a query right after an entry was stored on the bus shows it', async () => {
  const { bus, open } = await startBench();
  const log = await open();
  for (let n = 1; n <= 30; n += 1) {
    await store(bus, entry(n));
    expect((await log.query({ limit: 1 }))[0]?.msg).toBe(`entry ${n}`);
  }
});

test('an entry comes back with exactly its five fields, whatever text it holds', async () => {
  const { bus, open } = await startBench();
  const log = await open();
  const texts = ['', "'; DROP TABLE log; --", 'Straße 🚗 \u0000 nul', '\u2028\r\n\t"\\', 'x'.repeat(4096)];
  for (const [n, msg] of texts.entries()) await store(bus, entry(n, { msg }));
  await store(bus, entry(9, { msg: 'half \ud83d pair' }));
  await store(bus, { ...entry(10), extra: true } as LogEntry);
  const found = (await log.query({})).reverse();
  expect(messages(found)).toEqual([...texts, 'half \ufffd pair', 'entry 10']);
  expect(found.at(-1)).toEqual(entry(10));
});

test('entries are newest first and their times only grow, even when clocks do not', async () => {
  const { bus, open } = await startBench();
  const log = await open();
  const future = nowUs() + 3600e6;
  const offsets = [5, 5, 3, 100, 99, 101];
  for (const [n, offset] of offsets.entries()) await store(bus, entry(offset, { msg: `${n}` }));
  await store(bus, entry(0, { time: future, msg: 'wrong clock' }), entry(200));
  const found = await log.query({});
  expect(found.map(({ time }) => time - start)).toEqual([200, 103, 102, 101, 100, 7, 6, 5]);
  expect(messages(found)).toEqual(['entry 200', 'wrong clock', '5', '4', '3', '2', '1', '0']);
});

test('filters work together, a list means any of its items, and the database agrees with matchesFilter', async () => {
  const { bus, open } = await startBench();
  const log = await open();
  const all: LogEntry[] = [];
  for (const level of ['error', 'warning', 'info', 'debug'] as LogLevel[]) {
    for (const src of ['app', 'monitor', 'motion']) {
      for (const monitorID of ['', 'one', 'two']) all.push(entry(all.length + 1, { level, src, monitorID }));
    }
  }
  for (const each of all) await store(bus, each);
  const filters: LogFilter[] = [
    {},
    { levels: [], sources: [], monitors: [] },
    { levels: ['error'] },
    { levels: ['error', 'debug'], sources: ['app'] },
    { monitors: ['one'] },
    { monitors: ['one', 'two'], sources: ['motion', 'app'], levels: ['info'] },
    { monitors: [''] },
    { text: '' },
    { text: 'try 1' },
    { text: "' OR '%", levels: ['info'] },
    { text: '2', levels: ['error', 'debug'], after: start + 5 },
    { monitors: ["' OR 1=1 --"] },
    { time: start + 10 },
    { after: start + 30 },
    { time: start + 20, after: start + 10, monitors: ['two'] },
  ];
  for (const filter of filters) {
    const expected = all.filter((each) => matchesFilter(filter, each)).reverse();
    expect(await log.query(filter), JSON.stringify(filter)).toEqual(expected);
  }
  expect(await log.query({ monitors: ['one'], limit: 2 })).toHaveLength(2);
  expect(await log.query({ monitors: ['nobody'] })).toEqual([]);
  // Paging by the time of the last one meets every entry once.
  const paged: LogEntry[] = [];
  for (let time: number | undefined = Number.MAX_SAFE_INTEGER; time !== undefined; ) {
    const page: LogEntry[] = await log.query({ time, limit: 7 });
    paged.push(...page);
    time = page.at(-1)?.time;
  }
  expect(paged).toEqual([...all].reverse());
});

test('every entry is there once after nats-server was killed and the store closed and opened meanwhile', async () => {
  const { bus, server, open, errors } = await startBench();
  let log = await open();
  const count = 1500;
  const publishing = storeSurely(bus, 1, count);
  const shown = new Set<string>();
  for (let round = 0; round < 4; round += 1) {
    const seen = await waitFor(
      async () => {
        const found = await log.query({ limit: 10_000 });
        for (const { msg } of found) shown.add(msg);
        return found.length >= (round + 1) * 200;
      },
      10_000,
      `round ${round}`,
    );
    expect(seen).toBe(true);
    if (round % 2 === 0) process.kill(server.pid, 'SIGKILL');
    else {
      await log.close();
      log = await open();
    }
  }
  await publishing;
  const found = (await log.query({ limit: 10_000 })).reverse();
  expect(messages(found)).toEqual(numbered(1, count));
  expectIncreasing(found.map(({ time }) => time));
  for (const msg of shown) expect(messages(found)).toContain(msg);
  expect(errors).toEqual([]);
});

test('those who follow get every entry once and with its final time, also when the thread crashes', async () => {
  const bench = await startBench();
  const { bus, errors } = bench;
  const { log, crash } = await openWithThread(bench);
  const followed: LogEntry[] = [];
  const end = log.follow((entries) => void followed.push(...entries));
  // The answer to a query comes after the thread has heard of the follower.
  await log.query({ limit: 1 });

  await storeSurely(bus, 1, 300);
  const publishing = storeSurely(bus, 301, 900);
  await crash();
  await publishing;
  await waitFor(() => followed.length >= 900, 10_000, 'all entries');
  expect(messages(followed)).toEqual(numbered(1, 900));
  expect((await log.query({ limit: 10_000 })).reverse()).toEqual(followed);
  expect(errors.map(({ code }) => code)).toEqual(['log_thread_ended']);

  end();
  await storeSurely(bus, 901, 910);
  await log.query({});
  expect(followed).toHaveLength(900);
});

test('a crash of the thread amid queries takes nothing with it: they are answered, or told to ask again', async () => {
  const bench = await startBench();
  const { log, crash } = await openWithThread(bench);
  await storeSurely(bench.bus, 1, 500);
  const ask = () => log.query({ limit: 500 }).then(messages, (error: Error) => error);
  const asked = Array.from({ length: 40 }, ask);
  // The database is at work on the second one now.
  await asked[0];
  await crash();
  for (const outcome of await Promise.all(asked)) {
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'StoreError', code: 'io' });
    else expect(outcome).toHaveLength(500);
  }
  // A later one waits until the database is back.
  expect(await ask()).toHaveLength(500);
});

test('followAfter hands over what came after a time and all that follows, without gap or repeat', async () => {
  const { bus, open } = await startBench();
  const log = await open();
  await storeSurely(bus, 1, 1200);
  const followed: LogEntry[] = [];
  let calls = 0;
  const publishing = storeSurely(bus, 1201, 2500);
  const end = log.followAfter(start + 100, {}, async (entries) => {
    calls += 1;
    expect(entries.length).toBeLessThanOrEqual(1000);
    followed.push(...entries);
    // A slow reader at first.
    if (calls < 4) await new Promise((resolve) => setTimeout(resolve, 30));
  });
  await publishing;
  await waitFor(() => followed.length >= 2400, 10_000, 'all entries');
  expect(messages(followed)).toEqual(numbered(101, 2500));

  end();
  await storeSurely(bus, 2501, 2505);
  await log.query({});
  expect(followed).toHaveLength(2400);
});

test('followAfter filters, and goes on behind a crash of the thread', async () => {
  const bench = await startBench();
  const { bus } = bench;
  const { log, crash } = await openWithThread(bench);
  for (let n = 1; n <= 20; n += 1) await store(bus, entry(n, { monitorID: n % 2 === 0 ? 'even' : 'odd' }));
  const followed: LogEntry[] = [];
  log.followAfter(start + 4, { monitors: ['even'] }, (entries) => void followed.push(...entries));
  await waitFor(() => followed.length >= 8, 5000, 'the stored entries');
  await crash();
  for (let n = 21; n <= 40; n += 1) await store(bus, entry(n, { monitorID: n % 2 === 0 ? 'even' : 'odd' }));
  await waitFor(() => followed.length >= 18, 10_000, 'the entries after the crash');
  expect(followed.map(({ time }) => time - start)).toEqual(Array.from({ length: 18 }, (_, k) => 6 + 2 * k));
});

test('nothing is posted from the thread while nobody follows', async () => {
  const bench = await startBench();
  const { bus } = bench;
  const { log, thread } = await openWithThread(bench);
  const kinds: string[] = [];
  thread.on('message', ({ kind }: { kind: string }) => kinds.push(kind));
  await storeSurely(bus, 1, 50);
  await log.query({});
  expect(kinds).toEqual(['answer']);
});

test('a database file that cannot be read is moved aside and made again from the bus', async () => {
  const { bus, open, file, folder, errors } = await startBench();
  const before = await open();
  await storeSurely(bus, 1, 100);
  await before.query({});
  await before.close();
  await writeFile(file, 'this is no database');

  const log = await open();
  expect(messages((await log.query({})).reverse())).toEqual(numbered(1, 100));
  expect(errors.map(({ code }) => code)).toEqual(['log_database_broken']);
  expect(await readdir(folder)).toContain('logs.duckdb.broken');
});

test('the store begins again with a stream that was made anew, keeps what it has and says so', async () => {
  const { bus, open, errors } = await startBench();
  const log = await open();
  await storeSurely(bus, 1, 20);
  await log.query({});
  await log.close();
  await (await bus.jetStream.manager).streams.delete('LOGS');
  await ensureStreams(bus);
  await store(bus, ...[21, 22, 23].map((n) => entry(n)));

  const again = await open();
  expect(messages((await again.query({})).reverse())).toEqual(numbered(1, 23));
  expect(errors.map(({ code }) => code)).toEqual(['log_stream_replaced']);
});

test('entries that the bus dropped before they were read are counted', async () => {
  const { bus, open, errors } = await startBench();
  const log = await open();
  await storeSurely(bus, 1, 10);
  await log.query({});
  await log.close();
  await storeSurely(bus, 11, 20);
  await (await bus.jetStream.manager).streams.purge('LOGS', { seq: 16 });

  const again = await open();
  expect(messages((await again.query({})).reverse())).toEqual([...numbered(1, 10), ...numbered(16, 20)]);
  expect(errors.map(({ code, message }) => [code, message])).toEqual([
    ['log_entries_lost', expect.stringMatching(/^5 /)],
  ]);
  expect((await streamRange(bus, 'LOGS')).last).toBe(20);
});

test('new entries are read after the bus has lost its newest ones and gives their places away again', async () => {
  const bench = await startBench();
  const log = await bench.open();
  const dir = join(bench.folder, 'bus');
  await storeSurely(bench.bus, 1, 10);
  await bench.server.stop();
  await cp(join(dir, 'jetstream'), join(bench.folder, 'before'), { recursive: true });

  const restart = async () => {
    const server = await startNatsServer({ dir, log: new Logger(() => {}).source('app') });
    atEnd(() => server.stop());
    const bus = await Bus.connect(server.address, 'test');
    atEnd(() => bus.close());
    return { server, bus };
  };
  await log.close();
  const second = await restart();
  await storeSurely(second.bus, 11, 15);
  const reopen = () =>
    LogStore.open({
      file: bench.file,
      bus: second.server.address,
      logs: { maxAgeDays: 30, maxSizeMegabytes: 100 },
      onError: (error) => bench.errors.push(error),
    });
  let again = await reopen();
  expect(messages((await again.query({})).reverse())).toEqual(numbered(1, 15));
  await again.close();
  await second.server.stop();
  await rm(join(dir, 'jetstream'), { recursive: true });
  await cp(join(bench.folder, 'before'), join(dir, 'jetstream'), { recursive: true });

  const third = await restart();
  Object.assign(second, third);
  await store(third.bus, entry(16), entry(17));
  again = await reopen();
  atEnd(() => again.close());
  expect(messages((await again.query({})).reverse())).toEqual(numbered(1, 17));
  expect(bench.errors.map(({ code }) => code)).toEqual(['log_stream_replaced']);
});

test('what a query has shown is there after the process of the store was killed', async () => {
  const { bus, server, folder, file, open } = await startBench();
  const script = join(folder, 'store.mjs');
  const module = pathToFileURL(join(project, 'dist/store/log/log-store.js')).href;
  const options = { file, bus: server.address, logs: { maxAgeDays: 30, maxSizeMegabytes: 100 } };
  await writeFile(
    script,
    `import { LogStore } from ${JSON.stringify(module)};
     const log = await LogStore.open({ ...${JSON.stringify(options)}, onError: () => {} });
     for (;;) console.log('shown', (await log.query({ limit: 10000 })).length);`,
  );
  for (let round = 1; round <= 3; round += 1) {
    const publishing = storeSurely(bus, round * 300 - 299, round * 300);
    const child = startChild(process.execPath, [script]);
    await child.line(/^shown [1-9]/);
    await child.kill();
    await publishing;
    const shown = Math.max(...child.lines.map((line) => Number(line.split(' ')[1])));
    const log = await open();
    const found = (await log.query({ limit: 10_000 })).reverse();
    expect(found.length).toBeGreaterThanOrEqual(shown);
    expect(messages(found)).toEqual(numbered(1, round * 300));
    expectIncreasing(found.map(({ time }) => time));
    await log.close();
  }
});

test('open fails with a clear error when the file cannot be opened, and close gives it free', async () => {
  const { file, server } = await startBench();
  const options = {
    bus: server.address,
    logs: { maxAgeDays: 1, maxSizeMegabytes: 10 },
    onError: () => {},
  };
  await expect(LogStore.open({ ...options, file: '/dev/null/logs.duckdb' })).rejects.toMatchObject({
    name: 'LogStoreError',
    code: 'log_thread_ended',
  });
  const log = await LogStore.open({ ...options, file });
  await Promise.all([log.close(), log.close()]);
  const open = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  expect(open.filter((path) => path.startsWith(file))).toEqual([]);
  await expect(log.query({})).rejects.toMatchObject({ code: 'io' });
});
