import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { startChild } from '../../../support/child.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { project } from '../../../support/project.ts';
import { openSnapshot } from '../../../support/statements.ts';

/** A database, and a way to fill it: the entries' numbers are their times. */
async function begin() {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  let number = 0;
  const write = async (count: number, length = 40) => {
    for (let left = count; left > 0; left -= 10_000) {
      const entries = Array.from({ length: Math.min(left, 10_000) }, (): LogEntry => {
        number += 1;
        return { level: 'info', time: number, msg: noise(length), src: 'app', monitorID: '' };
      });
      await database.writer.append(entries, { identity: 's', sequence: number, time: number, readAt: 0 });
    }
  };
  const bounds = async () => {
    const times = await Promise.all(
      [true, false].map(async (oldestFirst) => database.pages.read({ limit: 1 }, oldestFirst)),
    );
    const [oldest = 0, newest = 0] = times.map(([entry]) => entry?.time);
    return { oldest, newest };
  };
  const rows = async () => {
    const [counted] = await database.stats.count({ filter: {}, group: [] });
    return counted?.count ?? 0;
  };
  const size = () => statSync(file).size;
  const journal = () => statSync(`${file}.wal`, { throwIfNoEntry: false })?.size ?? 0;
  return { file, database, write, bounds, rows, size, journal };
}

/** Text that cannot be made smaller. */
function noise(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}

test('the file stays as large as what is kept needs, however long entries come and go', async () => {
  const { database, write, bounds, rows, size } = await begin();
  const month = 60_000;
  let written = 0;
  let first = 0;
  for (let half = 1; half <= 24; half += 1) {
    await write(month / 2);
    written += month / 2;
    await database.retention.prune(written - month + 1, 1e9);
    if (half === 5) first = size();
  }
  expect(await bounds()).toEqual({ oldest: written - month + 1, newest: written });
  expect(await rows()).toBe(month);
  expect(size()).toBeLessThan(1.5 * first);
});

test('entries that are too many are let go down to nine tenths of the limit, however long they are', async () => {
  const { database, write, rows, bounds } = await begin();
  await write(40_000, 1000);
  await database.retention.prune(0, 16e6);
  const kept = await rows();
  // Noise takes about two thirds of its length.
  expect(kept).toBeGreaterThan(10_000);
  expect(kept).toBeLessThan(20_000);
  expect(await bounds()).toEqual({ oldest: 40_001 - kept, newest: 40_000 });
  await database.retention.tend(16e6);
  expect(await rows()).toBe(kept);
});

test('a file that was much larger than it is allowed now becomes small, and entries may come meanwhile', async () => {
  const { file, database, write, rows, bounds, size } = await begin();
  const statements = await openSnapshot({ file, database });
  await write(400_000);
  await database.retention.prune(0, 1e9);
  const before = size();
  await database.retention.prune(360_001, 1e9);
  expect(size()).toBeGreaterThan(0.8 * before);
  expect(await statements.rows('SELECT count(*) FROM logs')).toEqual([[40_000]]);
  const tending = database.retention.tend(before / 2);
  await write(20_000);
  await tending;
  expect(size()).toBeLessThan(0.6 * before);
  expect(await bounds()).toEqual({ oldest: 360_001, newest: 420_000 });
  expect(await rows()).toBe(60_000);
  expect(await statements.rows('SELECT count(*), min(time) FROM logs')).toEqual([[60_000, 360_001]]);
});

test('the journal stays small, although somebody reads all the time', async () => {
  const { database, write, rows, journal } = await begin();
  await write(50_000);
  let reading = true;
  const again = async (read: () => Promise<unknown>) => {
    while (reading) await database.reads.read(read);
  };
  // On two connections, so that there is always one of them that reads.
  const readers = [
    again(() => database.pages.read({ text: ' ' }, true)),
    again(() => database.stats.count({ filter: { text: ' ' }, group: ['level'], bucket: '1s' })),
  ];
  let largest = 0;
  try {
    for (let round = 0; round < 6; round += 1) {
      await write(10_000, 1000);
      largest = Math.max(largest, journal());
      await database.retention.tend(1e9);
    }
  } finally {
    reading = false;
    await Promise.all(readers);
  }
  expect(largest).toBeLessThan(60e6);
  expect(await rows()).toBe(110_000);
});

test('what is killed while it lets go or compacts leaves every entry from the oldest to the newest', async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const script = join(project, 'test/support/log-pruner.mjs');
  let sequence = 0;
  for (let round = 0; round < 3; round += 1) {
    const child = startChild('node', [script, file]);
    await child.line(/ready/);
    await sleep(300 + Math.random() * 1200);
    await child.kill();
    const { database, broken } = await LogDatabase.open(file);
    expect(broken).toBeUndefined();
    const position = await database.positions.read('LOGS');
    expect(position.sequence).toBeGreaterThan(sequence);
    sequence = position.sequence;
    const [newest] = await database.pages.read({ limit: 1 }, false);
    expect(newest?.time).toBe(sequence);
    await database.close();
    const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
    const connection = await instance.connect();
    const found = await connection.runAndReadAll(`
      SELECT max(time) - min(time) + 1 - count(*), count(*) - count(DISTINCT time),
        count(*) FILTER (split_part(msg, ' ', 1)::BIGINT != time),
        (SELECT count(*) FROM (SELECT time - lag(time) OVER (ORDER BY rowid) AS step FROM log) WHERE step != 1),
        (SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '%Copy')
      FROM log`);
    connection.closeSync();
    instance.closeSync();
    expect(found.getRows()[0]?.map(Number)).toEqual([0, 0, 0, 0, 0]);
  }
});
