import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, test } from 'vitest';
import { type LogEntry, logLevels } from '../../bus/messages.ts';
import type { LogFilter } from '../../store/log-filter.ts';
import { LogTable } from '../../store/log-table.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';

/**
 * The log's questions over ten million entries, while a thousand more come in every second. (DuckDB alone: the bus and
 * the thread before it add a few milliseconds, which the HTTP benchmark measures.)
 */

const rows = Number(process.env['ROWS'] ?? 10_000_000);
const rounds = 30;
const start = Date.parse('2026-10-24T00:00:00Z') * 1000;
/** Microseconds from one entry to the next: thirty days in all. */
const step = Math.floor((30 * 86_400e6) / rows);
const end = start + rows * step;

let table: LogTable;
beforeAll(async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  // The table's own shape, filled by the database itself: to append them one by one would take minutes.
  await (await LogTable.open(file)).table.close();
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(`
    INSERT INTO log SELECT
      ${start} + n * ${step},
      CASE WHEN hash(n) % 1000 = 0 THEN 'error' WHEN hash(n) % 100 = 0 THEN 'warning' WHEN hash(n) % 3 = 0 THEN 'info' ELSE 'debug' END,
      ['app', 'monitor', 'recorder', 'motion', 'tflite', 'auth', 'mqtt'][1 + (hash(n + 1) % 7)::INTEGER],
      CASE WHEN hash(n + 2) % 4 = 0 THEN '' ELSE 'camera' || (hash(n + 2) % 40) END,
      'something happened to number ' || n || ' in a message of usual length, ' || hash(n + 3)
    FROM range(${rows}) r(n);
    CHECKPOINT`);
  connection.closeSync();
  instance.closeSync();
  ({ table } = await LogTable.open(file));
  atEnd(() => table.close());
});

const pages: Record<string, LogFilter> = {
  'no filter': {},
  'a level': { levels: ['error'] },
  'level, source, monitor': { levels: ['error', 'warning'], sources: ['recorder'], monitors: ['camera7'] },
  'a monitor that is not there': { monitors: ['nobody'] },
  'before a time': { monitors: ['camera7'], time: start + (end - start) / 2 },
  'a text that is rare': { text: 'number 4999999 ' },
  'a text that is nowhere': { text: 'no such thing' },
};

test('questions', async () => {
  let ingested = 0;
  const ingesting = setInterval(() => {
    const some = Array.from({ length: 100 }, (): LogEntry => {
      ingested += 1;
      return {
        level: logLevels[ingested % 4] ?? 'info',
        time: end + ingested,
        msg: `new ${ingested}`,
        src: 'app',
        monitorID: '',
      };
    });
    void table.writer.append(some, { stream: 's', sequence: ingested, time: ingested, readAt: 0 });
  }, 100);
  try {
    for (const [name, filter] of Object.entries(pages))
      await measure(`page: ${name}`, () => table.pages.read(filter, false));
    const all = { filter: {}, group: ['level', 'src', 'monitorID'] as const };
    await measure('stats: level', () => table.stats.count({ filter: {}, group: ['level'] }));
    await measure('stats: level, src, monitorID', () => table.stats.count(all));
    await measure('stats: hours', () => table.stats.count({ filter: {}, group: [], bucket: '1h' }));
    await measure('stats: levels by day', () =>
      table.stats.count({ filter: {}, group: ['level'], bucket: '1d' }),
    );
    await measure('stats: months', () => table.stats.count({ filter: {}, group: [], bucket: '1mo' }));
    await measure('stats: seconds of an hour', () =>
      table.stats.count({ filter: { after: end - 3600e6 }, group: [], bucket: '1s' }),
    );
  } finally {
    clearInterval(ingesting);
  }
  console.log(`${rows} rows, ${ingested} more meanwhile`);
});

async function measure(name: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = performance.now();
    await work();
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => (times[Math.floor(part * (rounds - 1))] ?? 0).toFixed(0).padStart(5);
  console.log(`  ${name.padEnd(36)} p50 ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)} ms`);
}
