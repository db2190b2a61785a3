import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, test } from 'vitest';
import { type LogEntry, logLevels } from '../../bus/messages.ts';
import type { LogFilter } from '../../store/log/read/log-filter.ts';
import type { StatsQuestion } from '../../store/log/read/log-stats.ts';
import type { SqlProcesses } from '../../store/log/sql-process/sql-processes.ts';
import { LogDatabase } from '../../store/log/worker/log-database.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';
import { openStatements } from '../support/statements.ts';
import { openSqlite, type Sqlite } from './sqlite.ts';

/**
 * The log's questions over ten million entries, while a thousand more come in every second, and beside them, in turn,
 * the same questions put to DuckDB as a plain scan and, after `npm install --no-save better-sqlite3@12.4.1` (which
 * compiles it), to SQLite. (The store alone: the bus and the thread before it add a few milliseconds.)
 */

const rows = Number(process.env['ROWS'] ?? 10_000_000);
const rounds = Number(process.env['ROUNDS'] ?? 30);
/** A plain scan is slower, and SQLite a minute where ours is a second. */
const [plainRounds, sqliteRounds] = [5, 2];
const start = Date.parse('2026-10-24T00:00:00Z') * 1000;
/** Microseconds from one entry to the next: thirty days in all. */
const step = Math.floor((30 * 86_400e6) / rows);
const end = start + rows * step;

let database: LogDatabase;
let statements: SqlProcesses;
let sqlite: Sqlite | undefined;
beforeAll(async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'log.duckdb');
  // The table's own shape, filled by the database itself: to append them one by one would take minutes.
  await (await LogDatabase.open(file)).database.close();
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(`
    INSERT INTO log SELECT
      ${start} + n * ${step},
      CASE WHEN hash(n) % 1000 = 0 THEN 'error' WHEN hash(n) % 100 = 0 THEN 'warning' WHEN hash(n) % 3 = 0 THEN 'info' ELSE 'debug' END,
      ['app', 'monitor', 'recorder', 'motion', 'tflite', 'auth', 'mqtt'][1 + (hash(n + 1) % 7)::INTEGER],
      CASE WHEN hash(n + 2) % 4 = 0 THEN '' ELSE 'camera' || (hash(n + 2) % 40) END,
      CASE WHEN n = ${Math.floor(rows / 3)} THEN 'a disc went up in smoke'
        ELSE 'something happened to number ' || n || ' in a message of usual length, ' || hash(n + 3) END
    FROM range(${rows}) r(n);
    CHECKPOINT`);
  connection.closeSync();
  instance.closeSync();
  ({ database } = await LogDatabase.open(file));
  atEnd(() => database.close());
  statements = openStatements({ file, database });
  const before = performance.now();
  await database.prepare();
  const seconds = ((performance.now() - before) / 1000).toFixed(1);
  console.log(`${rows} rows; an older database is prepared in ${seconds} s`);
  sqlite = await openSqlite(join(folder, 'log.sqlite'));
  if (!sqlite) return console.log('no better-sqlite3');
  for (let after = -1; ; ) {
    const page = await database.pages.read({ after, limit: 10_000 }, true);
    if (page.length === 0) break;
    sqlite.add(page);
    after = page.at(-1)?.time ?? after;
  }
});

const middle = start + (end - start) / 2;
const columns = 'SELECT level, time, msg, src, monitorID FROM logs';
const newest = 'ORDER BY time DESC LIMIT 100';
/** In DuckDB's words; `sqlite.ts` puts them into SQLite's. */
const pages: Record<string, [filter: LogFilter, sql: string]> = {
  'no filter': [{}, `${columns} ${newest}`],
  'a level': [{ levels: ['error'] }, `${columns} WHERE level = 'error' ${newest}`],
  'level, source, monitor': [
    { levels: ['error', 'warning'], sources: ['recorder'], monitors: ['camera7'] },
    `${columns} WHERE level IN ('error', 'warning') AND src = 'recorder' AND monitorID = 'camera7' ${newest}`,
  ],
  'fewer than a page in all': [
    { levels: ['error'], sources: ['recorder'], monitors: ['camera7'] },
    `${columns} WHERE level = 'error' AND src = 'recorder' AND monitorID = 'camera7' ${newest}`,
  ],
  'a monitor that is not there': [
    { monitors: ['nobody'] },
    `${columns} WHERE monitorID = 'nobody' ${newest}`,
  ],
  'before a time': [
    { monitors: ['camera7'], time: middle },
    `${columns} WHERE monitorID = 'camera7' AND time < ${middle} ${newest}`,
  ],
  'a text that is common': [
    { text: 'usual length' },
    `${columns} WHERE contains(msg, 'usual length') ${newest}`,
  ],
  'a text that is there once': [{ text: 'smoke' }, `${columns} WHERE contains(msg, 'smoke') ${newest}`],
  'a number that is there once': [
    { text: 'number 4999999 ' },
    `${columns} WHERE contains(msg, 'number 4999999 ') ${newest}`,
  ],
  'a text that is nowhere': [
    { text: 'no such thing' },
    `${columns} WHERE contains(msg, 'no such thing') ${newest}`,
  ],
  'digits that are nowhere': [{ text: '0000000' }, `${columns} WHERE contains(msg, '0000000') ${newest}`],
};

const all = ['level', 'src', 'monitorID'] as const;
const stats: Record<string, [question: StatsQuestion, sql: string]> = {
  level: [{ filter: {}, group: ['level'] }, 'SELECT level, count(*) FROM logs GROUP BY 1'],
  'level, src, monitorID': [
    { filter: {}, group: all },
    'SELECT level, src, monitorID, count(*) FROM logs GROUP BY 1, 2, 3',
  ],
  hours: [
    { filter: {}, group: [], bucket: '1h' },
    'SELECT time - time % 3600000000, count(*) FROM logs GROUP BY 1',
  ],
  'levels by day': [
    { filter: {}, group: ['level'], bucket: '1d' },
    'SELECT time - time % 86400000000, level, count(*) FROM logs GROUP BY 1, 2',
  ],
  'everything by month': [
    { filter: {}, group: all, bucket: '1mo' },
    "SELECT strftime(make_timestamp(time), '%Y-%m'), level, src, monitorID, count(*) FROM logs GROUP BY 1, 2, 3, 4",
  ],
  'five minutes': [
    { filter: {}, group: [], bucket: '5m' },
    'SELECT time - time % 300000000, count(*) FROM logs GROUP BY 1',
  ],
  'half hours of a source by level': [
    { filter: { sources: ['motion'] }, group: ['level'], bucket: '30m' },
    "SELECT time - time % 1800000000, level, count(*) FROM logs WHERE src = 'motion' GROUP BY 1, 2",
  ],
  'seconds of an hour': [
    { filter: { after: end - 3600e6 }, group: [], bucket: '1s' },
    `SELECT time - time % 1000000, count(*) FROM logs WHERE time > ${end - 3600e6} GROUP BY 1`,
  ],
  'seconds of all (refused)': [
    { filter: {}, group: [], bucket: '1s' },
    'SELECT time - time % 1000000, count(*) FROM logs GROUP BY 1 LIMIT 10001',
  ],
  'levels of a text that is nowhere': [
    { filter: { text: 'no such thing' }, group: ['level'] },
    "SELECT level, count(*) FROM logs WHERE contains(msg, 'no such thing') GROUP BY 1",
  ],
};

test('questions', async () => {
  let ingested = 0;
  const ingesting = setInterval(() => {
    const some = Array.from({ length: 100 }, (): LogEntry => {
      ingested += 1;
      return {
        level: logLevels[ingested % 4] ?? 'info',
        time: end + ingested * 1000,
        msg: `new ${ingested}`,
        src: 'app',
        monitorID: '',
      };
    });
    void database.writer.append(some, { identity: 's', sequence: ingested, time: ingested, readAt: 0 });
  }, 100);
  console.log(`${'milliseconds'.padEnd(42)}    p50    p95    p99   plain  SQLite (p50)`);
  try {
    for (const [name, [filter, sql]] of Object.entries(pages))
      await measure(`page: ${name}`, () => database.pages.read(filter, false), sql);
    for (const [name, [question, sql]] of Object.entries(stats))
      await measure(`stats: ${name}`, () => database.stats.count(question).catch(() => {}), sql);
  } finally {
    clearInterval(ingesting);
  }
  console.log(`${ingested} more entries meanwhile`);
});

async function measure(name: string, work: () => Promise<unknown>, sql: string): Promise<void> {
  const [ours, plain, other]: [number[], number[], number[]] = [[], [], []];
  const never = new AbortController().signal;
  // In turn, so that whatever else the machine does slows all of them down.
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await timed(work));
    if (round % Math.ceil(rounds / plainRounds) === 0)
      plain.push(await timed(() => statements.run(sql, never).catch(() => {})));
    if (sqlite && round % Math.ceil(rounds / sqliteRounds) === 0)
      other.push(await timed(async () => sqlite?.ask(sql)));
  }
  const row = [at(ours, 0.5), at(ours, 0.95), at(ours, 0.99), at(plain, 0.5), at(other, 0.5)];
  console.log(`  ${name.padEnd(40)}${row.map((text) => text.padStart(7)).join('')}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

function at(times: number[], part: number): string {
  times.sort((a, b) => a - b);
  return times[Math.ceil(part * times.length) - 1]?.toFixed(0) ?? '-';
}
