import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type LogEntry, type LogLevel, logLevels } from '../../../../bus/messages.ts';
import { type LogFilter, matchesFilter } from '../../../../store/log/read/log-filter.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const hour = 3_600_000_000;
const start = Date.parse('2026-10-24T21:13:07Z') * 1000;
const count = 110_000;
const position = { identity: 's', sequence: 1, time: 1, readAt: 1 };

/** Crowded hours and empty ones, kinds and words that are everywhere, in one place only, or nowhere. */
const entries = Array.from({ length: count }, (_, n): LogEntry => {
  const level = n % 997 === 0 ? 'error' : (logLevels[n % 3] ?? 'info');
  return {
    level: level as LogLevel,
    time: start + n * 7_919_000 + Math.floor(n / 9000) * 31 * hour,
    msg: n === 61_234 ? 'a disc went up in smoke: Straße 🚗' : `entry number ${n} of ${n % 13}`,
    src: n > 40_000 && n < 40_050 ? 'auth' : (['app', 'motion', 'monitor'][n % 4] ?? 'recorder'),
    monitorID: n < 20_000 && n % 5 === 0 ? 'old' : (['', 'one', 'two'][n % 7] ?? 'three'),
  };
});
const last = entries.at(-1)?.time ?? 0;

async function open(file: string) {
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  return database;
}

async function fill(database: LogDatabase, some: readonly LogEntry[]): Promise<void> {
  for (let from = 0; from < some.length; from += 10_000)
    await database.writer.append(some.slice(from, from + 10_000), position);
}

/** Changes the file behind its table's back. */
async function change(file: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

function expected(some: readonly LogEntry[], filter: LogFilter, oldestFirst: boolean): LogEntry[] {
  const matching = some.filter((entry) => matchesFilter(filter, entry));
  return (oldestFirst ? matching : matching.reverse()).slice(0, filter.limit ?? 100);
}

const some = <T>(...items: T[]) => fc.option(fc.subarray(items, { minLength: 1 }), { nil: undefined });
const times = fc.oneof(
  fc.integer({ min: 0, max: count - 1 }).map((n) => entries[n]?.time ?? 0),
  fc.integer({ min: 0, max: 500 }).map((n) => start - (start % hour) + n * hour),
  fc.constantFrom(0, start, last, last + hour, Number.MAX_SAFE_INTEGER),
);
const filters = fc
  .record({
    levels: some<LogLevel>('error', 'warning', 'info'),
    sources: some('app', 'auth', 'recorder', 'nothing'),
    monitors: some('old', 'one', 'nobody'),
    text: fc.option(
      fc.constantFrom(
        '',
        'e',
        'of',
        'entry',
        '61233',
        'number 7',
        'in smoke',
        'ß',
        '🚗',
        'nowhere',
        ' of 12',
        'xyz',
      ),
      { nil: undefined },
    ),
    time: fc.option(times, { nil: undefined }),
    after: fc.option(times, { nil: undefined }),
    limit: fc.constantFrom(undefined, 1, 50, 3000),
  })
  .map(
    (all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as LogFilter,
  );

async function expectPages(database: LogDatabase, those: readonly LogEntry[], runs: number): Promise<void> {
  const check = async (filter: LogFilter, oldestFirst: boolean) => {
    const found = await database.pages.read(filter, oldestFirst);
    const right = expected(those, filter, oldestFirst);
    // Whole entries in a failure's message would hide what went wrong.
    expect(found.map(({ time }) => time)).toEqual(right.map(({ time }) => time));
    expect(found[0]).toEqual(right[0]);
  };
  await fc.assert(fc.asyncProperty(filters, fc.boolean(), check), { numRuns: runs });
}

// What is wrong may show in one of many questions only.
describe('a page holds exactly what matches', { retry: 0 }, () => {
  let file: string;
  beforeAll(async () => {
    file = join(await temporaryFolder(), 'log.duckdb');
    const { database } = await LogDatabase.open(file);
    await fill(database, entries);
    await database.prepare();
    await database.close();
  });

  test('whatever the filter is', async () => {
    const database = await open(file);
    expect(await database.stats.count({ filter: {}, group: [] })).toEqual([{ count }]);
    await expectPages(database, entries, 300);
  });

  test('when the database is older than what makes it fast, or knows of a part only', async () => {
    await change(
      file,
      `DELETE FROM hourly WHERE time > ${start + 40 * hour}; DELETE FROM slice WHERE number > 2`,
    );
    let database = await open(file);
    await expectPages(database, entries, 60);
    await database.close();
    await change(file, 'DROP TABLE hourly; DROP TABLE slice');
    database = await open(file);
    await expectPages(database, entries, 30);
    await database.prepare();
    await expectPages(database, entries, 60);
  });

  test('when the oldest have been let go in the middle of an hour', async () => {
    const database = await open(file);
    const oldest = entries[30_123]?.time ?? 0;
    await database.retention.prune(oldest, 1e9);
    const rest = entries.slice(30_123);
    await expectPages(database, rest, 60);
    const counted = async () => (await database.stats.count({ filter: {}, group: [] }))[0]?.count;
    expect(await counted()).toBe(rest.length);
    await database.prepare();
    expect(await counted()).toBe(rest.length);
  });
});

/** About one page of a thousand was empty then: `npm run bench -- log-checkpoints`. */
test('nothing is planned with the optimizer that loses rows while the file is checkpointed', async () => {
  const create = vi.spyOn(DuckDBInstance, 'create');
  atEnd(async () => void vi.restoreAllMocks());
  await open(join(await temporaryFolder(), 'log.duckdb'));
  const instance = await (create.mock.results[0]?.value as Promise<DuckDBInstance>);
  const connection = await instance.connect();
  const found = await connection.runAndReadAll("SELECT current_setting('disabled_optimizers')");
  connection.closeSync();
  expect(found.getRows()).toEqual([['row_group_pruner']]);
});

test('walking from page to page meets every entry once, while others arrive and the oldest go', async () => {
  const database = await open(join(await temporaryFolder(), 'log.duckdb'));
  const before = entries.slice(0, 60_000);
  await fill(database, before);
  let next = before.length;
  let walking = true;
  const arriving = (async () => {
    while (walking && next < count) {
      await database.writer.append(entries.slice(next, next + 500), position);
      next += 500;
    }
  })();
  const kept = entries[15_000]?.time ?? 0;
  const going = (async () => {
    for (let n = 1000; walking && n <= 15_000; n += 1000)
      await database.retention.prune(entries[n]?.time ?? 0, 1e9);
  })();
  const walk = async (filter: LogFilter, oldestFirst: boolean) => {
    const met: LogEntry[] = [];
    for (let cursor: Partial<LogFilter> = {}; ; ) {
      const page = await database.pages.read({ ...filter, ...cursor, limit: 977 }, oldestFirst);
      const time = page.at(-1)?.time;
      if (time === undefined) return met;
      met.push(...page);
      cursor = oldestFirst ? { after: time } : { time };
    }
  };
  try {
    for (const [filter, oldestFirst] of [
      [{}, false],
      [{ levels: ['error'] }, false],
      [{ text: 'of 7' }, false],
      [{ sources: ['app'], time: before.at(-1)?.time ?? 0 }, true],
      [{ text: 'number 3', time: before.at(-1)?.time ?? 0 }, true],
    ] as [LogFilter, boolean][]) {
      const met = (await walk(filter, oldestFirst)).map(({ time }) => time);
      const order = oldestFirst ? met : met.reverse();
      for (const [k, time] of order.entries()) if (k > 0) expect(time).toBeGreaterThan(order[k - 1] ?? 0);
      // What was there all the time must have been met.
      const [low, high] = [kept, Math.min(before.at(-1)?.time ?? 0, order.at(-1) ?? 0)];
      const there = before.filter((entry) => matchesFilter({ ...filter, after: low - 1, time: high }, entry));
      const inside = order.filter((time) => time >= low && time < high);
      expect(inside).toEqual(there.map(({ time }) => time));
      expect(there.length).toBeGreaterThan(40);
    }
  } finally {
    walking = false;
    await Promise.all([arriving, going]);
  }
  expect(next).toBeGreaterThan(before.length);
});
