import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import { Projection } from '../../../../store/log/projection/projection.ts';
import { logRow } from '../../../../store/log/projection/rows.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

/** The log of a machine whose clock is set, without its thread. */

const second = 1_000_000;
const hour = 3600 * second;
const began = 1_800_000_000 * second;

beforeEach(() => void vi.useFakeTimers({ now: began / 1000, toFake: ['Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Seconds pass, for both clocks. */
const pass = (seconds: number) => void vi.advanceTimersByTime(seconds * 1000);
/** The wall clock is set. */
const set = (seconds: number) => void vi.setSystemTime(Date.now() + seconds * 1000);

async function openLog(file?: string) {
  const path = file ?? join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(path);
  atEnd(() => database.close());
  const projection = new Projection<LogEntry, LogEntry>(await database.positions.read('LOGS'), {
    name: 'log entries',
    append: (rows, position) => database.writer.append(rows, position),
    repairTimes: (times) => database.repairTimes(times),
    row: logRow,
    report: () => {},
    giveUp: () => {},
  });
  let { sequence } = projection.position;
  const write = async (...messages: string[]) => {
    for (const msg of messages) {
      sequence += 1;
      const message = { level: 'info', time: Date.now() * 1000, msg, src: 'app', monitorID: '' } as const;
      await projection.accept({ message, sequence, storedAt: 0 });
    }
  };
  const read = async () => {
    await projection.commit();
    return database.pages.read({ limit: 10_000 }, true);
  };
  const close = async () => {
    await projection.commit();
    await database.close();
  };
  return { path, database, write, read, close };
}

const messages = (entries: readonly LogEntry[]) => entries.map(({ msg }) => msg);
/** Seconds between the true time of the present and each entry's. */
const ages = (entries: readonly LogEntry[]) =>
  entries.map(({ time }) => Math.round((Date.now() * 1000 - time) / second));

test.each([2 * hour, 20 * 365 * 24 * hour])(
  'entries of a clock that was ahead get their true times once it is set back by %d µs, in their order',
  async (aheadUs) => {
    const first = await openLog();
    await first.write('yesterday');
    await first.close();
    pass(86_400);
    // It boots with a wrong clock, and runs for half an hour.
    set(aheadUs / second);
    const { write, read, database } = await openLog(first.path);
    for (let n = 0; n < 30; n += 1) {
      await write(`${n}`, `${n} again`);
      pass(60);
    }
    set(-aheadUs / second);
    await write('the clock was set');
    pass(10);
    await write('later');
    const found = await read();
    const own = Array.from({ length: 30 }, (_, n) => [`${n}`, `${n} again`]).flat();
    expect(messages(found)).toEqual(['yesterday', ...own, 'the clock was set', 'later']);
    for (const [index, { time }] of found.entries())
      if (index > 0) expect(time).toBeGreaterThan(found[index - 1]?.time ?? 0);
    // The newest of them is taken for one of this moment.
    const expected = own.map((_, index) => 10 + 60 * (29 - (index >> 1)));
    expect(ages(found)).toEqual([86_400 + 1810, ...expected, 10, 0]);
    const counted = await database.stats.count({ filter: {}, group: [] });
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(63);
    expect(messages(await database.pages.read({ text: 'again' }, true))).toHaveLength(30);
  },
);

test('many entries and the indexes made of them survive the correction', async () => {
  const { write, read, database } = await openLog();
  const texts = Array.from({ length: 250 }, (_, n) => `n${n}`);
  for (let n = 0; n < 12; n += 1) {
    await write(...texts);
    pass(1800);
  }
  await database.prepare();
  set(-3 * 3600);
  await write('the clock was set', 'needle');
  pass(3600);
  await write('later');
  const found = await read();
  expect(messages(found)).toEqual([
    ...Array.from({ length: 12 }, () => texts).flat(),
    'the clock was set',
    'needle',
    'later',
  ]);
  for (const [index, { time }] of found.entries())
    if (index > 0) expect(time).toBeGreaterThan(found[index - 1]?.time ?? 0);
  expect(ages(found).slice(-3)).toEqual([3600, 3600, 0]);
  await database.prepare();
  const counted = await database.stats.count({ filter: {}, group: [] });
  expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(3003);
  expect(messages(await database.pages.read({ text: 'needle' }, true))).toEqual(['needle']);
});

test('an hour that was counted is counted anew when entries are moved into it', async () => {
  // It begins on the hour.
  const { write, read, database } = await openLog();
  pass(300);
  await write('right');
  set(3 * 3600);
  pass(1800);
  await write('early');
  pass(2400);
  await write('late');
  await read();
  await database.prepare();
  set(-3 * 3600);
  await write('the clock was set');
  const found = await read();
  expect(messages(found)).toEqual(['right', 'early', 'late', 'the clock was set']);
  // It may be -0.
  expect(ages(found).map(Math.abs)).toEqual([4200, 2400, 0, 0]);
  const count = () => database.stats.count({ filter: {}, group: [] });
  expect(await count()).toEqual([{ count: 4 }]);
  await database.prepare();
  expect(await count()).toEqual([{ count: 4 }]);
});

test('a correction asks nothing while something is being stored', async () => {
  const { write, read, database } = await openLog();
  await write('ahead');
  await read();
  await database.prepare();
  const asked = vi.spyOn(database.tables.writer, 'runAndReadAll');
  let end = () => {};
  const stored = new Promise<void>((resolve) => {
    end = resolve;
  });
  const storing = database.positions.ask(() => stored);
  const repairing = database.repairTimes({ now: began - hour, newest: began, earlier: 0 });
  await turn();
  expect(asked).not.toHaveBeenCalled();
  end();
  await storing;
  expect(await repairing).toBe(began - hour);
  expect(asked).toHaveBeenCalled();
});

test('a clock that was years ahead for days, and over restarts of the recorder, is corrected all the same', async () => {
  let log = await openLog();
  await log.write('yesterday');
  await log.close();
  pass(3600);
  const years = 20 * 365 * 86_400;
  set(years);
  for (let day = 0; day < 3; day += 1) {
    log = await openLog(log.path);
    await log.write(`day ${day}`);
    await log.close();
    pass(86_400);
  }
  set(-years);
  const { write, read } = await openLog(log.path);
  await write('the clock was set');
  pass(10);
  await write('later');
  const found = await read();
  expect(messages(found)).toEqual([
    ...['yesterday', 'day 0', 'day 1', 'day 2'],
    ...['the clock was set', 'later'],
  ]);
  expect(ages(found)).toEqual([3 * 86_400 + 3610, 2 * 86_400 + 10, 86_400 + 10, 10, 10, 0]);
});

test('a machine that boots with the clock of an hour ago leaves the log as it is', async () => {
  const first = await openLog();
  for (let minute = 0; minute < 120; minute += 1) {
    await first.write(`${minute}`);
    pass(60);
  }
  await first.close();
  set(-3600);
  const { write, read } = await openLog(first.path);
  await write('started');
  set(3660);
  await write('the clock was set');
  const found = await read();
  expect(ages(found).slice(0, 120)).toEqual(Array.from({ length: 120 }, (_, n) => 60 * (120 - n) + 60));
});

test('a machine that starts with a clock of long ago leaves the log as it is until its clock is set', async () => {
  const first = await openLog();
  await first.write('one', 'two');
  await first.close();
  const before = Date.now();
  set(-50 * 365 * 86_400);
  const { write, read } = await openLog(first.path);
  await write('started', 'still wrong');
  set((before - Date.now()) / 1000 + 90);
  await write('the clock was set');
  const found = await read();
  expect(messages(found)).toEqual(['one', 'two', 'started', 'still wrong', 'the clock was set']);
  expect(ages(found)).toEqual([90, 90, 90, 90, 0]);
});

test('a clock that is set back by less than a minute changes no entry', async () => {
  const { write, read } = await openLog();
  await write('one');
  set(-50);
  await write('two');
  pass(55);
  await write('three');
  const found = await read();
  expect(ages(found)).toEqual([5, 5, 0]);
  expect(found.map(({ time }) => time - began)).toEqual([0, 1, 5 * second]);
});
