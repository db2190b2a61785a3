import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { waitFor } from '../../../support/wait.ts';

async function open(file: string) {
  const opened = await LogDatabase.open(file);
  atEnd(() => opened.database.close());
  return opened;
}

const entries = (from: number, to: number, msg = 'text'): LogEntry[] =>
  Array.from({ length: to - from + 1 }, (_, k) => ({
    level: 'info',
    time: from + k,
    msg,
    src: 'app',
    monitorID: '',
  }));

/** The files in a folder that this process has open. */
async function openFiles(folder: string): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  const files = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return [...new Set(files)].filter((path) => path.startsWith(`${folder}/`)).sort();
}

const times = (found: readonly LogEntry[]) => found.map(({ time }) => time);

test('entries and position are stored together or not at all', async () => {
  const { database } = await open(join(await temporaryFolder(), 'logs.duckdb'));
  const first = { identity: 's', sequence: 3, time: 3, readAt: 7 };
  await database.writer.append(entries(1, 3), first);
  const unfit = { ...entries(5, 5)[0], msg: null } as unknown as LogEntry;
  await expect(
    database.writer.append([...entries(4, 4), unfit], { ...first, sequence: 5, time: 5, readAt: 7 }),
  ).rejects.toThrow();
  expect(times(await database.pages.read({}, true))).toEqual([1, 2, 3]);
  expect(await database.positions.read('LOGS')).toEqual(first);
  await database.writer.append(entries(4, 4), { ...first, sequence: 4, time: 4, readAt: 7 });
  expect(times(await database.pages.read({}, false))).toEqual([4, 3, 2, 1]);
});

test('after five hundred questions the buffers are given up', async () => {
  const { database } = await open(join(await temporaryFolder(), 'logs.duckdb'));
  await database.writer.append(entries(1, 20_000), { identity: 's', sequence: 1, time: 20_000, readAt: 7 });
  await database.retention.prune(0, 1e9);
  const held = async () => {
    const sql = "SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'BASE_TABLE'";
    const [[bytes] = []] = (await database.tables.writer.runAndReadAll(sql)).getRows();
    return Number(bytes);
  };
  expect(times(await database.pages.read({ limit: 1, text: 'text' }, true))).toEqual([1]);
  for (let n = 1; n < 500; n += 1) database.buffers.answered();
  const before = await held();
  database.buffers.answered();
  await waitFor(async () => (await held()) < before / 2, 5000, 'buffers that are given up');
  expect(times(await database.pages.read({ limit: 1, text: 'text' }, true))).toEqual([1]);
});

test('pruning deletes what is too old, and then the oldest until the rest is small enough', async () => {
  const { database } = await open(join(await temporaryFolder(), 'logs.duckdb'));
  const position = { identity: 's', sequence: 0, time: 0, readAt: 7 };
  const random = () => Array.from({ length: 40 }, () => Math.random().toString(36)).join('');
  for (let batch = 0; batch < 40; batch += 1) {
    const some = entries(batch * 1000, batch * 1000 + 999).map((entry) => ({ ...entry, msg: random() }));
    await database.writer.append(some, position);
  }
  await database.retention.prune(100, 1e9);
  expect(times(await database.pages.read({ limit: 1 }, true))).toEqual([100]);
  await database.retention.prune(0, 8e6);
  const [oldest] = times(await database.pages.read({ limit: 1 }, true));
  expect(oldest).toBeGreaterThan(1000);
  expect(oldest).toBeLessThan(39_999);
  expect(times(await database.pages.read({ limit: 1 }, false))).toEqual([39_999]);
});

test('a database of another shape is moved aside as a broken one is', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'logs.duckdb');
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run('CREATE TABLE log (something INTEGER)');
  connection.closeSync();
  instance.closeSync();
  const { database, broken } = await open(file);
  expect(broken).toMatch(/time|level|src/);
  expect(await database.pages.read({}, false)).toEqual([]);
  expect(await openFiles(folder)).toEqual([file, `${file}.wal`]);
});

test('a closed database has no file open, however many machines it has', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'logs.duckdb');
  const { database } = await LogDatabase.open(file, { machine: 'a', others: ['b', 'c'] });
  const position = { identity: 's', sequence: 1, time: 1, readAt: 7 };
  for (const each of database.others.values()) await each.writer.append(entries(1, 1), position);
  expect(await openFiles(folder)).toContain(file);
  await database.close();
  expect(await openFiles(folder)).toEqual([]);
});

test('a file that another process has open is left alone', async () => {
  const file = join(await temporaryFolder(), 'deep', 'logs.duckdb');
  const { database, broken } = await open(file);
  expect(broken).toBeUndefined();
  await database.writer.append(entries(1, 1), { identity: 's', sequence: 1, time: 1, readAt: 7 });
  await database.close();
  await database.close();
  await expect(database.pages.read({}, false)).rejects.toThrow('closed');
  await writeFile(`${file}.wal`, '');
  const again = await open(file);
  expect(times(await again.database.pages.read({}, false))).toEqual([1]);
});
