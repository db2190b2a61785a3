import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { isAlive, ownCpuSeconds } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** Looks for a minute at 4000 entries that are as long as an entry may be, and hears nothing meanwhile. */
const endless = "SELECT count(*) FROM logs WHERE msg ILIKE '%a%b%'";

async function fillLog(file: string): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  const time = (Date.now() - 3_600_000) * 1000;
  await connection.run(
    `INSERT INTO log SELECT ${time} + i, 'info', 'app', '', repeat('a', 4096) FROM range(4000) rows(i)`,
  );
  connection.closeSync();
  instance.closeSync();
}

test('a stop ends in time whatever statement runs, and the next start finds everything', async () => {
  const first = await startRecorder();
  await first.stop();
  await fillLog(join(first.folder, 'storage', 'sentrybus.duckdb'));
  const recorder = await first.restart();
  const children = recorder.children(/nats-server|detectors\/host/);
  expect(children.length).toBeGreaterThan(0);

  const before = ownCpuSeconds(recorder.pid);
  const asked = recorder.change('POST', '/api/log/sql', { sql: endless });
  asked.catch(() => {});
  await waitFor(() => ownCpuSeconds(recorder.pid) > before + 7, 40_000, 'a statement that was not ended');

  const began = Date.now();
  recorder.signal('SIGTERM');
  const how = await recorder.exited;
  expect(how).toBe('SIGKILL');
  // What the web server and the log's thread are given, and none of the thirty seconds after which all is given up.
  expect(Date.now() - began).toBeLessThan(12_000);
  await waitFor(() => !children.some(isAlive), 5000, 'the end of its children');

  const again = await recorder.restart();
  const entries = await waitFor(
    async () => {
      const found = await again.get<LogEntry[]>('/api/log/query?levels=error&limit=10');
      return found.length > 0 && found;
    },
    10_000,
    'the entry about it',
  );
  expect(entries[0]?.msg).toContain('a statement does not end');
  expect(await again.stop()).toBe(0);
});
