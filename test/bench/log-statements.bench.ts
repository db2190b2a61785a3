import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import type { SqlProcesses } from '../../store/log/sql-process/sql-processes.ts';
import { LogDatabase } from '../../store/log/worker/log-database.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';
import { openSnapshot, openStatements } from '../support/statements.ts';

/** What entries that come in, and pages that are read, feel of statements that ask for all the machine has. */

const rows = Number(process.env['ROWS'] ?? 3_000_000);
const seconds = Number(process.env['SECONDS'] ?? 8);
const start = Date.parse('2026-10-24T00:00:00Z') * 1000;
const never = new AbortController().signal;

let file: string;
let database: LogDatabase;
let statements: SqlProcesses;
let stored = 0;
beforeAll(async () => {
  file = join(await temporaryFolder(), 'log.duckdb');
  await (await LogDatabase.open(file)).database.close();
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(`
    INSERT INTO log SELECT ${start} + n * 1000000, 'info', 'app', 'camera' || n % 40,
      'something happened to number ' || n || ' in a message of usual length, ' || hash(n)
    FROM range(${rows}) r(n); CHECKPOINT`);
  connection.closeSync();
  instance.closeSync();
  ({ database } = await LogDatabase.open(file));
  atEnd(() => database.close());
  await database.prepare();
  statements = openStatements({ file, database });
});

const questions: Record<string, (() => Promise<unknown>)[]> = {
  'nothing else': [],
  'a product of all entries': [
    () => statements.run("select count(*) from logs a, logs b where a.msg || b.msg = 'x'", never),
  ],
  'distinct texts of all entries': [
    () => statements.run('select count(*) from (select distinct msg, time from logs)', never),
  ],
  'the longest window': [
    () =>
      statements.run('select max(r) from (select row_number() over (order by msg desc) r from logs)', never),
  ],
  'two sorted answers that nobody takes': ['csv', 'arrow'].map((format) => async () => {
    const sql = 'select * from logs order by msg desc, time';
    const pieces = statements.stream(sql, format as 'csv', never);
    await pieces.next();
    await sleep(2000);
    await pieces.return(undefined);
  }),
  'all at once': [
    () => statements.run('select count(*) from (select distinct msg, time from logs)', never),
    async () => {
      const pieces = statements.stream('select * from logs order by msg', 'csv', never);
      await pieces.next();
      await sleep(1000);
      await pieces.return(undefined);
    },
    () => database.stats.count({ filter: { text: '000000' }, group: [] }),
  ],
};

const usual: Record<string, string> = {
  'the newest of a camera':
    "select time, msg from logs where monitorID = 'camera7' order by time desc limit 100",
  'counts by source and level': 'select src, level, count(*) from logs group by all',
  'an hour': `select count(*) from logs where time >= ${start} and time < ${start + 3600e6}`,
  'a text': "select count(*) from logs where msg like '%number 77777 %'",
  'counts by hour and camera':
    'select time // 3600000000 h, monitorID, count(*) c from logs group by all order by c desc limit 50',
};

test('usual statements', async () => {
  const { run } = await openSnapshot({ file, database });
  const timesOf = async (ask: () => Promise<unknown>, rounds: number) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const before = performance.now();
      await ask();
      times.push(performance.now() - before);
    }
    return times;
  };
  const one = Object.values(usual)[0] ?? '';
  const inProcess = () => statements.run(one, never);
  const first = await timesOf(inProcess, 1);
  console.log(`  milliseconds, ${rows} entries; the first one, which starts a process: ${at(first, 0.5)}`);
  console.log(`  ${'p50, p95'.padEnd(30)} in a process of its own   in this one`);
  for (const [name, sql] of Object.entries(usual)) {
    const own = await timesOf(() => statements.run(sql, never), 20);
    const here = await timesOf(() => run(sql), 20);
    const cells = [own, here].map((times) => `${at(times, 0.5)}, ${at(times, 0.95)}`.padStart(20));
    console.log(`  ${name.padEnd(30)}${cells.join('')}`);
  }
  const after: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    await append(100);
    after.push(...(await timesOf(inProcess, 1)));
  }
  console.log(`  after new entries: ${at(after, 0.5)}, ${at(after, 0.95)}`);
  const checkpointed: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await append(100);
    await database.hold.checkpoint(0);
    checkpointed.push(...(await timesOf(inProcess, 1)));
  }
  console.log(`  after a checkpoint: ${at(checkpointed, 0.5)}, ${at(checkpointed, 1)}`);
});

async function append(count: number): Promise<void> {
  const some = Array.from({ length: count }, (): LogEntry => {
    stored += 1;
    const time = start + (rows + stored) * 1e6;
    return { level: 'info', time, msg: `new ${stored}`, src: 'app', monitorID: '' };
  });
  await database.writer.append(some, { identity: 's', sequence: stored, time: 1, readAt: 1 });
}

test('statements', async () => {
  console.log(`${'milliseconds'.padEnd(40)} append p50   p95   max  page p50   p95   max  failed`);
  for (const [name, asked] of Object.entries(questions)) {
    const end = performance.now() + seconds * 1000;
    const outcomes = new Map<string, number>();
    const asking = asked.map(async (ask) => {
      while (performance.now() < end) {
        const outcome = await ask().then(
          () => 'answered',
          (error: Error) => error.message,
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    });
    let failed = 0;
    const [appends, pages]: [number[], number[]] = [[], []];
    const timed = async (times: number[], work: () => Promise<unknown>) => {
      const before = performance.now();
      await work().catch(() => {
        failed += 1;
      });
      times.push(performance.now() - before);
    };
    while (performance.now() < end) {
      await timed(appends, () => append(100));
      await timed(pages, () => database.pages.read({ monitors: ['camera7'] }, false));
      await sleep(80);
    }
    await Promise.all(asking);
    const row = [appends, pages].flatMap((times) => [at(times, 0.5), at(times, 0.95), at(times, 1)]);
    console.log(
      `  ${name.padEnd(40)}${row.map((text) => text.padStart(7)).join('')}${String(failed).padStart(7)}`,
    );
    for (const [outcome, count] of outcomes) console.log(`      ${count} × ${outcome}`);
  }
});

function at(times: number[], part: number): string {
  times.sort((a, b) => a - b);
  return times[Math.max(0, Math.ceil(part * times.length) - 1)]?.toFixed(0) ?? '-';
}
