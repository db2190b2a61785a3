import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../../bus/messages.ts';
import { LogDatabase } from '../../../store/log/worker/log-database.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { openStatements } from '../../support/statements.ts';

test('statements of people that take all memory do no lasting harm to what is written and asked beside them', async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const statements = openStatements({ file, database });
  const start = Date.now() * 1000 - 3600e6;
  let stored = 0;
  const failures: string[] = [];
  /** Stores the next entries, or none of them. */
  const append = async (count: number) => {
    const entries = Array.from({ length: count }, (_, k): LogEntry => {
      const time = start + stored + k;
      return { level: 'info', time, msg: `entry ${time} ${Math.random()}`, src: 'app', monitorID: '' };
    });
    const sequence = stored + count;
    await database.writer.append(entries, { identity: 's', sequence, time: start + sequence, readAt: 0 });
    stored = sequence;
  };
  for (let batch = 0; batch < 20; batch += 1) await append(10_000);

  let greedy = true;
  const again = async (work: () => Promise<unknown>) => {
    while (greedy) await work().catch((error: Error) => failures.push(error.message));
  };
  const beside = [
    again(() => append(1000)),
    again(() => database.pages.read({ limit: 1000, text: 'nowhere' }, false)),
    again(() => database.stats.count({ filter: {}, group: ['level'], bucket: '1s' })),
  ];
  const sql = 'SELECT a.src, quantile_disc(a.msg || b.msg, 0.5) FROM logs a, logs b GROUP BY a.src';
  try {
    for (let n = 0; n < 3; n += 1) {
      await expect(statements.run(sql, new AbortController().signal)).rejects.toThrow(/memory|longer/);
    }
  } finally {
    greedy = false;
    await Promise.all(beside);
  }

  await append(1000);
  expect(await database.positions.read('LOGS')).toMatchObject({ sequence: stored });
  expect((await database.pages.read({ limit: 1 }, false)).map(({ time }) => time)).toEqual([
    start + stored - 1,
  ]);
  const counted = await database.stats.count({ filter: {}, group: [] });
  expect(
    counted.map(({ count }) => count),
    failures.join('\n'),
  ).toEqual([stored]);
});
