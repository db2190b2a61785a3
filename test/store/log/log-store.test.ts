import { readdir, readlink } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import type { LogEntry, LogLevel } from '../../../bus/messages.ts';
import { type LogFilter, LogStore, type MachineEntry, matchesFilter } from '../../../store/log/log-store.ts';
import { entry, messages, start, startTestLog, store } from '../../support/test-log.ts';

test('a query right after an entry was stored on the bus shows it', async () => {
  const { bus, open } = await startTestLog();
  const log = await open();
  for (let n = 1; n <= 30; n += 1) {
    await store(bus, entry(n));
    expect((await log.query({ limit: 1 }))[0]?.msg).toBe(`entry ${n}`);
  }
});

test('an entry comes back with exactly its six fields, whatever text it holds', async () => {
  const { bus, open } = await startTestLog();
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
  const { bus, open } = await startTestLog();
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
  const { bus, open } = await startTestLog();
  const log = await open();
  const all: MachineEntry[] = [];
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
  const paged: MachineEntry[] = [];
  for (let time: number | undefined = Number.MAX_SAFE_INTEGER; time !== undefined; ) {
    const page: MachineEntry[] = await log.query({ time, limit: 7 });
    paged.push(...page);
    time = page.at(-1)?.time;
  }
  expect(paged).toEqual([...all].reverse());
});

test('open fails with a clear error when the file cannot be opened, and close gives it free', async () => {
  const { file, server } = await startTestLog();
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
