import { statSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { LogDatabase } from '../../store/log/worker/log-database.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';

/**
 * A year of log in some minutes: how large the file and its write-ahead log become, and how long an entry waits at most
 * while the oldest go. In the ninth month something writes as much in a day as usually in a month, and at the end the
 * limit is lowered to a fourth.
 */

const perDay = Number(process.env['PER_DAY'] ?? 20_000);
const days = Number(process.env['DAYS'] ?? 365);
const maxAgeDays = 30;
const day = 86_400e6;
const start = Date.parse('2026-01-01T00:00:00Z') * 1000;
/** Entries that are stored together, as many as come in a tenth of a second when ten thousand come in one. */
const batch = 1000;
const prunesPerDay = 6;
const tendEvery = 20;

test('a year', async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  let number = 0;
  let batches = 0;
  let maxBytes = Number.POSITIVE_INFINITY;
  const waits: number[] = [];
  const largest = { file: 0, wal: 0 };

  const look = () => {
    for (const [name, path] of [
      ['file', file],
      ['wal', `${file}.wal`],
    ] as const) {
      const { size = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
      largest[name] = Math.max(largest[name], size);
    }
  };
  /** Stores entries from one time to another, while the oldest go. */
  const write = async (from: number, to: number, count: number) => {
    for (let done = 0; done < count; done += batch) {
      const size = Math.min(batch, count - done);
      const entries = Array.from({ length: size }, (_, k): LogEntry => {
        number += 1;
        return {
          level: (['debug', 'info', 'warning', 'debug'] as const)[number % 4] ?? 'debug',
          time: Math.floor(from + ((to - from) * (done + k)) / count),
          msg: `something happened to number ${number} in a message of usual length, ${Math.random()}`,
          src: ['app', 'monitor', 'recorder', 'motion'][number % 4] ?? 'app',
          monitorID: `camera${number % 20}`,
        };
      });
      const before = performance.now();
      const time = entries.at(-1)?.time ?? 0;
      await database.writer.append(entries, { identity: 's', sequence: number, time, readAt: time });
      waits.push(performance.now() - before);
      batches += 1;
      if (batches % tendEvery === 0) void database.retention.tend(maxBytes);
      look();
    }
  };
  const say = (name: string) => {
    waits.sort((a, b) => a - b);
    const at = (part: number) => (waits[Math.floor(part * (waits.length - 1))] ?? 0).toFixed(0).padStart(5);
    const mb = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(7);
    const now = statSync(file).size;
    console.log(
      `  ${name.padEnd(28)} file ${mb(now)} MB, largest ${mb(largest.file)}, journal ${mb(largest.wal)};` +
        ` ${batch} entries wait p50 ${at(0.5)} p99 ${at(0.99)} worst ${at(1)} ms`,
    );
    waits.length = 0;
    largest.file = largest.wal = 0;
  };

  console.log(`${perDay} entries a day, of which ${maxAgeDays} days are kept`);
  for (let today = 0; today < days; today += 1) {
    const flood = today === 270 ? 30 : 1;
    for (let part = 0; part < prunesPerDay; part += 1) {
      const from = start + (today + part / prunesPerDay) * day;
      const to = from + day / prunesPerDay;
      const pruning = database.retention.prune(from - maxAgeDays * day, maxBytes);
      await write(from, to, Math.round((flood * perDay) / prunesPerDay));
      await pruning;
    }
    if (today === 29) {
      say('first month, nothing goes');
      // A third more than a month takes.
      maxBytes = Math.round(statSync(file).size * 1.3);
      console.log(`  limit: ${(maxBytes / 1e6).toFixed(1)} MB`);
    } else if (today % 30 === 29 || today === days - 1) say(`day ${today + 1}`);
  }
  maxBytes /= 4;
  await database.retention.tend(maxBytes);
  const end = start + days * day;
  for (let part = 0; part < 10; part += 1) {
    await write(end + part * day, end + (part + 1) * day, perDay);
    await database.retention.tend(maxBytes);
  }
  say(`limit ${(maxBytes / 1e6).toFixed(1)} MB`);
});
