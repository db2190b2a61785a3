import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { BufferList, unlockBuffers } from '../../../../store/log/retention/buffer-list.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const memoryLimit = '256MB';

async function open() {
  const file = join(await temporaryFolder(), 'some.duckdb');
  const instance = await DuckDBInstance.create(file, { threads: '2', memory_limit: memoryLimit });
  const connection = await instance.connect();
  await connection.run(`${unlockBuffers} SET lock_configuration = true`);
  const buffers = new BufferList(await instance.connect(), memoryLimit);
  atEnd(async () => {
    await buffers.close();
    connection.closeSync();
    instance.closeSync();
  });
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRows();
  await rows('CREATE TABLE number (n BIGINT, text VARCHAR)');
  await rows("INSERT INTO number SELECT range, 'text ' || range FROM range(100_000)");
  return { buffers, rows };
}

test('buffers are given up, and nothing that they held is lost', async () => {
  const { buffers, rows } = await open();
  await rows('CHECKPOINT');
  // Not on disk yet.
  await rows("INSERT INTO number VALUES (-1, 'new')");
  const question = 'SELECT count(*), sum(a.n) FROM number a JOIN number b USING (n)';
  const held = async () => {
    const [[bytes] = []] = await rows('SELECT sum(memory_usage_bytes) FROM duckdb_memory()');
    return Number(bytes);
  };
  const answer = await rows(question);
  const before = await held();
  await buffers.free();
  expect(await held()).toBeLessThan(before / 2);
  expect(await rows(question)).toEqual(answer);
});

test('questions that are answered meanwhile have the memory that they need', async () => {
  const { buffers, rows } = await open();
  const [limit] = await rows("SELECT current_setting('memory_limit')");
  let isOver = false;
  const freeing = (async () => {
    while (!isOver) await buffers.free();
  })();
  for (let n = 0; n < 20; n += 1) {
    expect(await rows('SELECT count(DISTINCT a.text) FROM number a JOIN number b USING (n)')).toEqual([
      [100_000n],
    ]);
  }
  isOver = true;
  await freeing;
  expect(await rows("SELECT current_setting('memory_limit')")).toEqual([limit]);
  await expect(rows('SET threads = 1')).rejects.toThrow('locked');
});
