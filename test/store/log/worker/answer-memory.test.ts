import { setImmediate as turn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { AnswerMemory } from '../../../../store/log/worker/answer-memory.ts';
import { atEnd } from '../../../support/cleanup.ts';

/** Each object of DuckDB that JavaScript holds, or has not yet collected, has one. */
const handles = () => getHeapStatistics().used_global_handles_size;

async function ask(connection: DuckDBConnection, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    (await connection.runAndReadAll('SELECT range, range::VARCHAR FROM range(100)')).getRows();
  }
}

test('what answers of DuckDB held is freed after sixteen questions', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  atEnd(async () => instance.closeSync());
  const connection = await instance.connect();
  const memory = new AnswerMemory();
  await ask(connection, 1);
  memory.free();
  await turn();
  const before = handles();
  await ask(connection, 16);
  const held = handles() - before;
  expect(held).toBeGreaterThan(0);
  for (let n = 0; n < 15; n += 1) memory.answered();
  expect(handles() - before).toBe(held);
  memory.answered();
  await turn();
  // Not all: what was in use during an earlier collection is left to a full one.
  expect(handles() - before).toBeLessThan(held / 4);
});

test('what minor collections leave is freed by a full one, of thirty-two', async () => {
  const memory = new AnswerMemory();
  const freed: string[] = [];
  const registry = new FinalizationRegistry<string>((name) => freed.push(name));
  let used: object | undefined = {};
  registry.register(used, 'used');
  // Twice: now it is where minor collections do not look.
  memory.free();
  memory.free();
  used = undefined;
  for (let n = 2; n < 31; n += 1) memory.free();
  await turn();
  expect(freed).toEqual([]);
  memory.free();
  await turn();
  await turn();
  expect(freed).toEqual(['used']);
});
