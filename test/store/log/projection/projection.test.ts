import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import type { Position } from '../../../../store/log/projection/position.ts';
import { Projection } from '../../../../store/log/projection/projection.ts';
import { logRow } from '../../../../store/log/projection/rows.ts';
import type { LogStoreError } from '../../../../store/log/schema/log-store-error.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

const entry = (time: number): LogEntry => ({
  level: 'info',
  time,
  msg: `${time}`,
  src: 'app',
  monitorID: '',
});
const range = (last: number, identity = 'first') => ({ first: 1, last, identity });

/** A projection onto a table that keeps what it is given, or fails while it is `full`. */
function project(position: Position = { identity: 'first', sequence: 0, time: 0, readAt: 0 }) {
  const disk = { rows: [] as LogEntry[], position, full: false };
  const published: LogEntry[] = [];
  const errors: LogStoreError[] = [];
  const gaveUp: Error[] = [];
  const projection = new Projection<LogEntry, LogEntry>(position, {
    name: 'log entries',
    async append(rows, next) {
      if (disk.full) throw new Error('disk full');
      disk.rows.push(...rows);
      disk.position = next;
    },
    row: logRow,
    commitDelayMs: ({ level }) => (level === 'debug' ? 10_000 : 100),
    publish: (one) => void published.push(one),
    report: (error) => errors.push(error),
    giveUp: (error) => gaveUp.push(error),
  });
  return { projection, disk, published, errors, gaveUp };
}

test('entries are stored within a tenth of a second, with the place of the last one', async () => {
  const { projection, disk, published } = project();
  for (const n of [1, 2, 3]) await projection.accept({ message: entry(n * 10), sequence: n, storedAt: 0 });
  expect(disk.rows).toEqual([]);
  await vi.advanceTimersByTimeAsync(100);
  const readAt = 1_800_000_000_000_000;
  expect(disk.rows.map(({ time }) => time)).toEqual([10, 20, 30]);
  expect(disk.position).toEqual({ identity: 'first', sequence: 3, time: 30, readAt });
  expect(published).toEqual(disk.rows);
});

test('rows that may wait longer are stored together, and with the first one that may not', async () => {
  const { projection, disk } = project();
  const patient = (time: number): LogEntry => ({ ...entry(time), level: 'debug' });
  await projection.accept({ message: patient(10), sequence: 1, storedAt: 0 });
  await vi.advanceTimersByTimeAsync(5000);
  await projection.accept({ message: patient(20), sequence: 2, storedAt: 0 });
  await vi.advanceTimersByTimeAsync(4999);
  expect(disk.rows).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(disk.rows.map(({ time }) => time)).toEqual([10, 20]);
  await projection.accept({ message: patient(30), sequence: 3, storedAt: 0 });
  await projection.accept({ message: entry(40), sequence: 4, storedAt: 0 });
  await vi.advanceTimersByTimeAsync(100);
  expect(disk.rows.map(({ time }) => time)).toEqual([10, 20, 30, 40]);
});

test('a message that is delivered again or has a wrong shape makes no row', async () => {
  const { projection, disk, errors } = project();
  await projection.accept({ message: entry(10), sequence: 1, storedAt: 0 });
  await projection.accept({ message: entry(10), sequence: 1, storedAt: 0 });
  await projection.accept({ message: undefined, sequence: 2, storedAt: 0 });
  await projection.accept({ message: entry(20), sequence: 3, storedAt: 0 });
  await projection.commit();
  expect(disk.rows.map(({ time }) => time)).toEqual([10, 20]);
  expect(disk.position.sequence).toBe(3);
  expect(errors).toEqual([]);
});

test('what was read but not committed gets the same times when it is read again', async () => {
  const first = project({ identity: 'first', sequence: 4, time: 500, readAt: 0 });
  const messages = [100, 900, 900, 20].map((time, n) => ({
    message: entry(time),
    sequence: 5 + n,
    storedAt: 0,
  }));
  for (const message of messages) await first.projection.accept(message);
  const second = project({ identity: 'first', sequence: 4, time: 500, readAt: 0 });
  for (const message of messages) await second.projection.accept(message);
  expect(first.published.map(({ time }) => time)).toEqual([501, 900, 901, 902]);
  expect(second.published).toEqual(first.published);
});

test('a full disk loses nothing and changes no order, and is reported once', async () => {
  const { projection, disk, errors } = project();
  disk.full = true;
  await projection.accept({ message: entry(1), sequence: 1, storedAt: 0 });
  await vi.advanceTimersByTimeAsync(3000);
  await projection.accept({ message: entry(2), sequence: 2, storedAt: 0 });
  await expect(projection.commit()).rejects.toThrow('disk full');
  expect(errors.map(({ code }) => code)).toEqual(['log_write_failed']);
  disk.full = false;
  await projection.accept({ message: entry(3), sequence: 3, storedAt: 0 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(disk.rows.map(({ time }) => time)).toEqual([1, 2, 3]);
  expect(disk.position.sequence).toBe(3);
});

test('entries that cannot be stored are not taken without end, and the database is given up in the end', async () => {
  const { projection, disk, gaveUp } = project();
  disk.full = true;
  for (let n = 1; n <= 10_000; n += 1)
    await projection.accept({ message: entry(n), sequence: n, storedAt: 0 });
  await expect(projection.accept({ message: entry(10_001), sequence: 10_001, storedAt: 0 })).rejects.toThrow(
    'disk full',
  );
  expect(projection.position.sequence).toBe(10_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(gaveUp).toHaveLength(1);
});

test('it takes up another stream at its beginning, and a shortened one at its end, with times that go on', async () => {
  const { projection, disk, errors } = project({ identity: 'first', sequence: 100, time: 1000, readAt: 0 });
  expect(projection.follows(range(100))).toBe(true);
  expect(projection.follows(range(99))).toBe(false);
  projection.align(range(90), 90);
  expect(projection.position.sequence).toBe(90);
  await projection.accept({ message: entry(5), sequence: 91, storedAt: 0 });
  projection.align(range(7, 'second'), 0);
  await projection.accept({ message: entry(6), sequence: 3, storedAt: 0 });
  await projection.commit();
  expect(disk.rows.map(({ time }) => time)).toEqual([1001, 1002]);
  expect(disk.position).toMatchObject({ identity: 'second', sequence: 3, time: 1002 });
  expect(errors.map(({ code }) => code)).toEqual(['log_stream_replaced', 'log_stream_replaced']);
});

test('reached resolves with the entry, or when the time is over', async () => {
  const { projection } = project();
  const done: string[] = [];
  void projection.reached(1, 500).then(() => done.push('reached'));
  void projection.reached(2, 500).then(() => done.push('over'));
  await projection.accept({ message: entry(1), sequence: 1, storedAt: 0 });
  await vi.advanceTimersByTimeAsync(499);
  expect(done).toEqual(['reached']);
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toEqual(['reached', 'over']);
});

test('the clock of another machine is what its bus noted: one that is ahead of ours is right there', async () => {
  const now = 1_800_000_000_000_000;
  const ahead = now + 90e6;
  for (const isDistant of [true, false]) {
    const repairs: number[] = [];
    const positions: Position[] = [];
    const projection = new Projection<LogEntry, LogEntry>(
      { identity: 'first', sequence: 0, time: ahead - 1, readAt: 0 },
      {
        ...{ name: 'log entries', row: logRow, report: () => {}, giveUp: () => {}, isDistant },
        append: async (_, position) => void positions.push(position),
        async repairTimes({ newest }) {
          repairs.push(newest);
          return newest;
        },
      },
    );
    await projection.accept({ message: entry(ahead), sequence: 1, storedAt: ahead });
    await projection.commit();
    expect(repairs).toEqual(isDistant ? [] : [ahead - 1]);
    // Nothing is read before the bus took it, also where the clock was set back since.
    expect(positions.at(-1)?.readAt).toBe(ahead + 1);
  }
});

test('messages that the stream has no longer are counted and said, also where none comes after them', async () => {
  const stored = { identity: 'first', sequence: 4, time: 500, readAt: 0 };
  const { projection, disk, errors } = project(stored);
  projection.align(range(9), 4);
  await projection.commit();
  expect(disk.position).toEqual(stored);
  projection.align({ ...range(9), first: 8 }, 4);
  await vi.advanceTimersByTimeAsync(100);
  expect(disk.position).toEqual({ ...stored, sequence: 7, gaps: 1 });
  await projection.accept({ message: entry(600), sequence: 8, storedAt: 0 });
  await projection.accept({ message: entry(700), sequence: 10, storedAt: 0 });
  await projection.commit();
  expect(disk.position).toMatchObject({ sequence: 10, gaps: 2 });
  expect(errors.map(({ message }) => message)).toEqual([
    '3 log entries were dropped by the bus before they could be stored',
    '1 log entries were dropped by the bus before they could be stored',
  ]);
});
