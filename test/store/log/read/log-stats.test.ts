import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type LogEntry, logLevels } from '../../../../bus/messages.ts';
import { type LogFilter, matchesFilter } from '../../../../store/log/read/log-filter.ts';
import type { StatsRow } from '../../../../store/log/read/log-stats.ts';
import { statsBuckets, statsGroups } from '../../../../store/log/read/stats-buckets.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

// Over the end of a month, of a year and of a week.
const start = Date.parse('2025-12-20T21:13:07.123Z') * 1000;
const hour = 3_600_000_000;
const step = 997_000_123;
const entries = Array.from({ length: 3000 }, (_, n): LogEntry => {
  const time = start + n * step;
  // The first one of every other hour comes just when it begins.
  const first = time % hour < step && Math.floor(time / hour) % 2 === 0;
  return {
    level: logLevels[n % 4] ?? 'info',
    time: first ? time - (time % hour) : time,
    msg: `entry ${n}`,
    src: ['app', 'monitor', 'motion'][n % 3] ?? '',
    monitorID: ['', 'one', 'two', 'three', 'four'][n % 5] ?? '',
  };
});

let database: LogDatabase;
beforeAll(async () => {
  ({ database } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb')));
  atEnd(() => database.close());
  await database.writer.append(entries, { identity: 's', sequence: 1, time: 1, readAt: 1 });
  await database.prepare();
});

/** When the bucket of a time begins, by JavaScript's own calendar. */
function begin(time: number, bucket: string): number {
  const date = new Date(time / 1000);
  if (bucket === '1mo') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) * 1000;
  if (bucket === '1w') {
    const days = (date.getUTCDay() + 6) % 7;
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - days) * 1000;
  }
  const lengths: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
  const length = Number.parseInt(bucket, 10) * (lengths[bucket.slice(-1)] ?? 0) * 1e6;
  return Math.floor(time / length) * length;
}

function expected(
  group: readonly (typeof statsGroups)[number][],
  bucket?: string,
  some = entries,
): StatsRow[] {
  const counts = new Map<string, StatsRow>();
  for (const entry of some) {
    const row: Record<string, string | number> = bucket ? { time: begin(entry.time, bucket) } : {};
    for (const key of statsGroups) if (key !== 'machine' && group.includes(key)) row[key] = entry[key];
    const key = JSON.stringify(row);
    counts.set(key, { ...row, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const order = (row: StatsRow) =>
    [String(row.time ?? '').padStart(20), row.level, row.src, row.monitorID].join(' ');
  return [...counts.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

const subsets = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => statsGroups.filter((_, k) => bits & (1 << k)));

test.each(subsets.map((group) => [group.join(' and ') || 'nothing', group] as const))(
  'entries are counted by %s',
  async (_, group) => {
    const count = (bucket?: (typeof statsBuckets)[number]) =>
      database.stats.count({ filter: {}, group: [...group].reverse(), ...(bucket && { bucket }) });
    expect(await count()).toEqual(expected(group));
    expect(await count('1d')).toEqual(expected(group, '1d'));
  },
);

test.each(statsBuckets)('a bucket of %s begins where it should', async (bucket) => {
  expect(await database.stats.count({ filter: {}, group: [], bucket })).toEqual(expected([], bucket));
});

test('only what the filter lets through is counted', async () => {
  const filter = { levels: ['error' as const], text: '7', after: start + 1e9, time: start + 2e12 };
  const some = entries.filter((entry) => matchesFilter(filter, entry));
  expect(some.length).toBeGreaterThan(10);
  expect(await database.stats.count({ filter, group: ['src'] })).toEqual(expected(['src'], undefined, some));
  expect(await database.stats.count({ filter: { text: 'nowhere' }, group: [] })).toEqual([{ count: 0 }]);
  expect(await database.stats.count({ filter: { text: 'nowhere' }, group: [], bucket: '1h' })).toEqual([]);
});

// What is wrong may show in one of many questions only.
test('whatever is asked for, at whatever moment, the counts are right', { retry: 0 }, async () => {
  const { database: other } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb'));
  atEnd(() => other.close());
  const times = fc.oneof(
    fc.nat(entries.length - 1).map((n) => entries[n]?.time ?? 0),
    fc.integer({ min: 0, max: 900 }).map((n) => start - (start % hour) + n * hour),
  );
  const near = fc.tuple(times, fc.constantFrom(-1, 0, 1)).map(([time, shift]) => time + shift);
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 1 });
  const questions = fc.record({
    group: fc.constantFrom(...subsets),
    bucket: maybe(fc.constantFrom('30m', '1h', '6h', '1d', '1w', '1mo')),
    time: maybe(near),
    after: maybe(near),
    levels: maybe(fc.constantFrom(['error'] as const, ['info', 'debug'] as const)),
    monitors: maybe(fc.constant(['two', 'four'])),
    text: maybe(fc.constantFrom('7', 'entry 12', 'nowhere')),
  });
  // In pieces that end in the middle of an hour, each of which is followed by others of the same hour.
  for (let from = 0; from < entries.length; from += 997) {
    const stored = entries.slice(0, from + 997);
    await other.writer.append(stored.slice(from), { identity: 's', sequence: 1, time: 1, readAt: 1 });
    await other.prepare();
    await fc.assert(
      fc.asyncProperty(questions, async ({ group, bucket, ...conditions }) => {
        const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
        const filter = Object.fromEntries(given) as LogFilter;
        const found = await other.stats.count({ filter, group, ...(bucket && { bucket }) });
        const some = stored.filter((entry) => matchesFilter(filter, entry));
        const nothing = bucket === undefined && group.length === 0 && some.length === 0;
        expect(found).toEqual(nothing ? [{ count: 0 }] : expected(group, bucket, some));
      }),
      { numRuns: 100 },
    );
  }
});

test('what lies just before and just behind an hour is counted once', async () => {
  const first = start - (start % hour);
  for (let time = first + 10 * hour; time < first + 14 * hour; time += hour) {
    for (const edge of [time - 1, time, time + 1]) {
      for (const filter of [{ time: edge }, { after: edge }, { after: edge - 3 * hour, time: edge }]) {
        const some = entries.filter((entry) => matchesFilter(filter, entry));
        const found = await database.stats.count({ filter, group: [] });
        expect(found, JSON.stringify(filter)).toEqual([{ count: some.length }]);
      }
    }
  }
});

test('more than 10,000 rows are refused, also when no part of them is so many', async () => {
  const { database: other } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb'));
  atEnd(() => other.close());
  const many = Array.from({ length: 10_001 }, (_, n) => ({ ...(entries[0] as LogEntry), time: n * 1e6 }));
  await other.writer.append(many, { identity: 's', sequence: 2, time: 1, readAt: 1 });
  for (const filter of [{}, { text: 'entry' }]) {
    await expect(other.stats.count({ filter, group: [], bucket: '1s' })).rejects.toMatchObject({
      name: 'StoreError',
      code: 'invalid',
      pointer: '/bucket',
    });
    const exact = { ...filter, after: 0 };
    expect(await other.stats.count({ filter: exact, group: [], bucket: '1s' })).toHaveLength(10_000);
  }
});

test('in a time zone, days begin at its midnight, whatever the clocks do', async () => {
  const { database: other } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb'));
  atEnd(() => other.close());
  const hourly = (from: string, count: number) =>
    Array.from({ length: count }, (_, n): LogEntry => {
      return { level: 'info', time: Date.parse(from) * 1000 + n * hour, msg: '', src: 'app', monitorID: '' };
    });
  // Over the beginning of summer in Europe, and over its end.
  const all = [...hourly('2025-10-25T00:00:00Z', 72), ...hourly('2026-03-28T00:00:00Z', 72)];
  await other.writer.append(all, { identity: 's', sequence: 1, time: 1, readAt: 1 });
  await other.prepare();
  const count = async (bucket: (typeof statsBuckets)[number], tz: string) =>
    (await other.stats.count({ filter: {}, group: [], bucket, tz })).map(
      (row) => `${new Date((row.time ?? 0) / 1000).toISOString().slice(0, 16)} ${row.count}`,
    );
  expect(await count('1d', 'Europe/Berlin')).toEqual([
    '2025-10-24T22:00 22',
    '2025-10-25T22:00 25',
    '2025-10-26T23:00 24',
    '2025-10-27T23:00 1',
    '2026-03-27T23:00 23',
    '2026-03-28T23:00 23',
    '2026-03-29T22:00 24',
    '2026-03-30T22:00 2',
  ]);
  expect(await count('1mo', 'Asia/Kolkata')).toEqual(['2025-09-30T18:30 72', '2026-02-28T18:30 72']);
  expect((await count('1d', 'Asia/Kolkata')).slice(0, 2)).toEqual([
    '2025-10-24T18:30 19',
    '2025-10-25T18:30 24',
  ]);
  // The hour that occurs twice is two.
  expect(await count('1h', 'Europe/Berlin')).toHaveLength(144);
  expect(await count('15m', 'Asia/Kathmandu')).toHaveLength(144);
  for (const tz of ['Mars/Olympus', "UTC'", '', '+01:00'])
    await expect(count('1d', tz)).rejects.toThrow('expected a time zone');
});
