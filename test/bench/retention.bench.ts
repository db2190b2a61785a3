import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { formatRecordingID } from '../../bus/recording-id.ts';
import type { StoredRecording } from '../../store/log/projection/rows.ts';
import { LogDatabase } from '../../store/log/worker/log-database.ts';
import { emptyCatalogue, retentionOf } from '../support/retention.ts';
import { startTestLog } from '../support/test-log.ts';

/** What a check of the retention costs in a large archive, beside a look at each file. */

const [days, monitors, perDay] = [30, 16, 417];
const count = days * monitors * perDay;
const bytes = 1000;
const dayMs = 24 * 60 * 60 * 1000;

test(`a check of ${count} recordings`, async () => {
  const { folder, file, open } = await startTestLog();
  const now = Date.now();
  const reports: StoredRecording[] = [];
  const recordings = join(folder, 'recordings');
  for (let day = days; day >= 1; day -= 1) {
    for (let index = 0; index < perDay; index += 1) {
      for (let monitor = 0; monitor < monitors; monitor += 1) {
        const startMs = now - day * dayMs + index * Math.floor(dayMs / perDay);
        const monitorID = `camera${monitor}`;
        const id = formatRecordingID({ startMs, monitorID, stream: 'main' });
        const path = join(recordings, ...id.slice(0, 10).split('-'), monitorID);
        await mkdir(path, { recursive: true });
        await writeFile(join(path, `${id}.mp4`), Buffer.alloc(bytes));
        const [time, endTime] = [startMs * 1000, startMs * 1000 + 200e6];
        const row = { id, monitorID, state: 'saved', time, endTime, bytes, reason: '' } as const;
        reports.push({ ...row, streams: [], reportedAt: endTime });
      }
    }
  }
  const { database } = await LogDatabase.open(file);
  const position = { identity: 'bench', sequence: 0, time: 0, readAt: 0 };
  for (let at = 0; at < count; at += 10_000) {
    await database.recordings.append(reports.slice(at, at + 10_000), position);
  }
  await database.close();
  const catalogue = await open();

  const late = monitorEventLoopDelay({ resolution: 1 });
  const measure = async (name: string, work: () => Promise<unknown>) => {
    late.reset();
    late.enable();
    const [begin, cpu] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(cpu);
    late.disable();
    const time = performance.now() - begin;
    console.log(
      `${name}: ${time.toFixed(0)} ms, ${((user + system) / 1000).toFixed(0)} ms of processor, event loop late by ${(late.max / 1e6).toFixed(0)} ms at most`,
    );
    return time;
  };
  const walk = await measure('a look at each file', async () => {
    for (const name of await readdir(recordings, { recursive: true })) await lstat(join(recordings, name));
  });
  const limits = { maxBytes: 1e12, minFreeBytes: 0 };
  const { retention } = await retentionOf(folder, { catalogue, limits });
  await measure('the first check', () => retention.prune(now));
  const check = await measure('a check', () => retention.prune(now));
  await measure('the first report', () => retention.survey(now));
  const { retention: smaller } = await retentionOf(folder, {
    catalogue,
    limits: { maxBytes: 0.98 * count * bytes, minFreeBytes: 0 },
  });
  await smaller.survey(now);
  let removed = 0;
  await measure('a check that deletes', async () => {
    removed = (await smaller.prune(now + 600_000)).files;
  });
  console.log(`${removed} deleted`);
  const { retention: blind } = await retentionOf(folder, { catalogue: emptyCatalogue, limits });
  await measure('the first check without a catalogue', () => blind.prune(now));
  await measure('a check without a catalogue', () => blind.prune(now));
  expect(check).toBeLessThan(walk);
});
