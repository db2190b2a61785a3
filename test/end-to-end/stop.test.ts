import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { knownHostile } from '../support/hostile-statements.ts';
import { isAlive, ownCpuSeconds } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** Looks for a minute at 4000 entries that are as long as an entry may be, and cannot be interrupted meanwhile. */
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

test('a stop ends at once whatever statement runs, and the next start finds everything', async () => {
  const first = await startRecorder();
  await first.stop();
  await fillLog(join(first.folder, 'storage', 'sentrybus.duckdb'));
  const recorder = await first.restart();
  const children = recorder.children(/nats-server|detectors\/host/);
  expect(children.length).toBeGreaterThan(0);
  const token = await (await recorder.fetch('/api/account/my-token')).text();
  const ask = (sql: string) => {
    const headers = { 'x-csrf-token': token, 'content-type': 'application/json' };
    const body = JSON.stringify({ sql });
    return recorder.fetch('/api/log/sql', { method: 'POST', headers, body });
  };

  for (const sql of knownHostile) {
    const answer = await ask(sql);
    expect([sql.slice(0, 50), answer.status]).toEqual([sql.slice(0, 50), 400]);
    expect((await answer.json()).pointer).toBe('/sql');
  }

  const asked = ask(endless);
  asked.catch(() => {});
  const isHost = (pid: number) => isAlive(pid) && ownCpuSeconds(pid) > 0;
  const [host = 0] = await waitFor(
    () => {
      const found = recorder.children(/sql-host/).filter(isHost);
      return found.length > 0 && found;
    },
    20_000,
    'a statement that runs',
  );
  const began = Date.now();
  expect(await recorder.stop()).toBe(0);
  // It would go on for a minute.
  expect(Date.now() - began).toBeLessThan(6000);
  expect([...children, host].filter(isAlive)).toEqual([]);
  const again = await recorder.restart();
  const entries = await again.get<LogEntry[]>('/api/log/query?levels=error&limit=10');
  expect(entries).toEqual([]);
  expect(await again.stop()).toBe(0);
});
