import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { BufferList, unlockBuffers } from '../../../../store/log/retention/buffer-list.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const memoryLimit = '256MB';

/** @param options of DuckDB, for a new file. */
async function openEmpty(options: Readonly<Record<string, string>> = {}) {
  const file = join(await temporaryFolder(), 'some.duckdb');
  const instance = await DuckDBInstance.create(file, { threads: '2', memory_limit: memoryLimit, ...options });
  const connection = await instance.connect();
  await connection.run(`${unlockBuffers} SET lock_configuration = true`);
  const buffers = new BufferList(await instance.connect(), memoryLimit, (task) => task());
  atEnd(async () => {
    await buffers.close();
    connection.closeSync();
    instance.closeSync();
  });
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRows();
  const limit = async () => (await rows("SELECT current_setting('memory_limit')")).flat();
  const held = async () =>
    Number((await rows('SELECT sum(memory_usage_bytes) FROM duckdb_memory()'))[0]?.[0]);
  return { buffers, rows, limit, held };
}

async function open(options?: Readonly<Record<string, string>>) {
  const opened = await openEmpty(options);
  await opened.rows('CREATE TABLE number (n BIGINT, text VARCHAR)');
  await opened.rows("INSERT INTO number SELECT range, 'text ' || range FROM range(100_000)");
  return opened;
}

test('buffers are given up, and nothing that they held is lost', async () => {
  const { buffers, rows, held } = await open();
  await rows('CHECKPOINT');
  // Not on disk yet.
  await rows("INSERT INTO number VALUES (-1, 'new')");
  const question = 'SELECT count(*), sum(a.n) FROM number a JOIN number b USING (n)';
  const answer = await rows(question);
  const before = await held();
  await buffers.free();
  expect(await held()).toBeLessThan(before / 2);
  expect(await rows(question)).toEqual(answer);
});

test('a file of which nothing is in memory keeps the memory that it may use', async () => {
  const { buffers, rows, limit } = await openEmpty();
  const before = await limit();
  await buffers.free();
  expect(await limit()).toEqual(before);
  await rows('CREATE TABLE number AS SELECT range AS n FROM range(100_000)');
  await expect(rows('SET threads = 1')).rejects.toThrow('locked');
});

test('a file with blocks of another size keeps its buffers: DuckDB would count wrongly what it writes of them', async () => {
  const { buffers, held, rows } = await open({ default_block_size: '16384' });
  await rows('SELECT count(*), sum(a.n) FROM number a JOIN number b USING (n)');
  const before = await held();
  await buffers.free();
  expect(await held()).toBe(before);
});

test('a new log has blocks of the size of which buffers are given up', async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  await database.close();
  const instance = await DuckDBInstance.create(file);
  atEnd(async () => instance.closeSync());
  const connection = await instance.connect();
  const size = await connection.runAndReadAll('SELECT block_size FROM pragma_database_size()');
  connection.closeSync();
  expect(size.getRows()).toEqual([[262_144n]]);
});

test('buffers are given up when nobody asks and nothing is stored, and then both go on', async () => {
  const { database } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb'));
  atEnd(() => database.close());
  let finish = () => {};
  const reading = database.reads.read(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  let isFreed = false;
  const freeing = database.buffers.free().then(() => {
    isFreed = true;
  });
  const entry = { time: 1, level: 'info', src: 'app', monitorID: '', msg: 'meanwhile' } as const;
  await database.writer.append([entry], { identity: 's', sequence: 1, time: 1, readAt: 1 });
  expect(isFreed).toBe(false);
  finish();
  await Promise.all([reading, freeing]);
  expect(await database.reads.read(() => database.pages.read({ limit: 2 }, false))).toEqual([entry]);
});
