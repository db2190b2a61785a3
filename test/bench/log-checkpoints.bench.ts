import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

/** How many pages of a table are short while its file is checkpointed, with and without one of DuckDB's optimizers. */

const [rows, readers, pageRows, roundMs] = [300, 4, 100, 20_000];

test.each(['', 'row_group_pruner'])(
  'pages beside checkpoints, without optimizers: %s',
  async (disabled) => {
    const file = join(await temporaryFolder(), 'log.duckdb');
    const instance = await DuckDBInstance.create(file, { threads: '2', disabled_optimizers: disabled });
    const writer = await instance.connect();
    await writer.run('CREATE TABLE log (time BIGINT NOT NULL, msg VARCHAR NOT NULL)');
    let [next, oldest, checkpoints, pages, short] = [0, 0, 0, 0, 0];
    const add = async (count: number) => {
      await writer.run(`INSERT INTO log SELECT ${next} + range, 'entry ' || range FROM range(${count})`);
      next += count;
    };
    await add(rows);
    const until = performance.now() + roundMs;
    const write = async () => {
      for (; performance.now() < until; checkpoints += 1) {
        await add(10);
        oldest += 10;
        await writer.run(`DELETE FROM log WHERE time < ${oldest}`);
        await writer.run('CHECKPOINT');
      }
    };
    const read = async () => {
      const connection = await instance.connect();
      for (; performance.now() < until; pages += 1) {
        const before = oldest + rows / 2;
        const found = await connection.runAndReadAll(
          `SELECT time, msg FROM log WHERE time < ${before} ORDER BY time DESC LIMIT ${pageRows}`,
        );
        if (found.currentRowCount < pageRows) short += 1;
      }
      connection.closeSync();
    };
    await Promise.all([write(), ...Array.from({ length: readers }, read)]);
    writer.closeSync();
    instance.closeSync();
    console.log(`${short} of ${pages} pages are short, beside ${checkpoints} checkpoints`);
  },
  60_000,
);
