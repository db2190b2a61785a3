import { expect, test } from 'vitest';
import type { LogEntry } from '../../../bus/messages.ts';
import { generateHostile, knownHostile } from '../../support/hostile-statements.ts';
import { openFrontDoor } from '../../support/http-server.ts';
import { ownMemoryBytes } from '../../support/processes.ts';
import { waitFor } from '../../support/wait.ts';

/** A hundred: `STATEMENTS=100 npm run test:only -- test/http/log/log-sql-hostile.test.ts`. */
const generated = Number(process.env['STATEMENTS'] ?? 10);

test('statements that once ended the recorder, and generated ones, leave entries and memory alone', async () => {
  const door = await openFrontDoor({ statementSeconds: 0.1 });
  const log = door.logger.source('app');
  for (let n = 0; n < 300; n += 1) log.info(`entry ${n} ${'a'.repeat(100)}`);
  await door.logger.flush(5000);
  const headers = { 'x-csrf-token': await door.token(), 'content-type': 'application/json' };
  const ask = (sql: string) =>
    door.fetch('/api/log/sql', { method: 'POST', headers, body: JSON.stringify({ sql }) });
  // A tenth of a second is little for any statement on a machine that is busy.
  const answered = async (sql: string) => {
    const answer = await ask(sql);
    return answer.status === 200 && (await answer.json());
  };
  await waitFor(() => answered('SELECT 1'), 30_000, 'a process that answers');

  const before = ownMemoryBytes(process.pid);
  let [logged, mostBytes] = [0, before];
  const logBeside = async () => {
    logged += 1;
    log.info(`beside ${logged}`);
    await door.logger.flush(5000);
    const [newest] = (await (await door.fetch('/api/log/query?limit=1')).json()) as LogEntry[];
    expect(newest?.msg).toBe(`beside ${logged}`);
    mostBytes = Math.max(mostBytes, ownMemoryBytes(process.pid));
  };
  let number = 0;
  const reasons = new Map<string, number>();
  const statements = [...knownHostile, ...generateHostile(1, generated)];
  for (const sql of statements) {
    const asked = ask(sql);
    asked.catch(() => {});
    number += 1;
    if (number % 5 === 0) await logBeside();
    const answer = await asked;
    const { detail = 'answered', pointer } = await answer.json();
    if (answer.status !== 200)
      expect({ sql, status: answer.status, pointer }).toEqual({ sql, status: 400, pointer: '/sql' });
    reasons.set(detail, (reasons.get(detail) ?? 0) + 1);
  }
  expect([...reasons.keys()].join('\n')).toContain('took longer than 0.1 seconds');
  expect(logged).toBe(Math.floor(statements.length / 5));
  expect(mostBytes).toBeLessThan(before + 300e6);
  const counting = "SELECT count(*) FROM logs WHERE msg LIKE 'beside %'";
  const after = await waitFor(() => answered(counting), 30_000, 'an answer');
  expect(after.rows).toEqual([[logged]]);
}, 120_000);
