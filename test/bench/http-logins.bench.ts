import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atEnd } from '../support/cleanup.ts';
import { fetchThrough } from '../support/https.ts';
import { startRecorder } from '../support/recorder.ts';

/** What 200 wrong logins at once do to somebody who is logged in. */

const attackers = 200;

const resident = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const at = (values: number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;

test.each([
  ['from one address', () => '127.0.0.1'],
  ['from 200 addresses', (k: number) => `127.0.1.${k + 1}`],
])('200 wrong logins at once %s', async (name, address) => {
  const recorder = await startRecorder();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  atEnd(async () => agent.destroy());
  const authorization = `Basic ${Buffer.from(`${recorder.admin.username}:${recorder.admin.password}`).toString('base64')}`;
  const good = async () => {
    const begin = performance.now();
    const answer = await fetchThrough(agent, `${recorder.url}/api/account/my-token`, {
      headers: { authorization },
    });
    expect(answer.status).toBe(200);
    return performance.now() - begin;
  };
  for (let k = 0; k < 200; k += 1) await good();
  const calm: number[] = [];
  for (let k = 0; k < 200; k += 1) calm.push(await good());

  // The connections are there already: what is measured is the logins, not 200 handshakes of this very process.
  const agents = Array.from(
    { length: attackers },
    (_, k) => new Agent({ keepAlive: true, localAddress: address(k), rejectUnauthorized: false }),
  );
  atEnd(async () => agents.forEach((one) => one.destroy()));
  await Promise.all(agents.map((one) => fetchThrough(one, `${recorder.url}/api/health`)));
  const before = resident(recorder.pid);
  let most = before;

  const wrong = agents.map(async (one, k) => {
    const guess = Buffer.from(`admin:guess ${k}`).toString('base64');
    return (
      await fetchThrough(one, `${recorder.url}/api/accounts`, {
        headers: { authorization: `Basic ${guess}` },
      })
    ).status;
  });
  let attacked = true;
  const answers = Promise.all(wrong).finally(() => {
    attacked = false;
  });
  const busy: number[] = [];
  while (attacked || busy.length < 50) {
    busy.push(await good());
    most = Math.max(most, resident(recorder.pid));
    await pause(1);
  }
  const statuses = await answers;
  const count = (status: number) => statuses.filter((one) => one === status).length;
  console.log(`${name}: ${count(401)} refused after a derivation, ${count(429)} without one`);
  console.log(
    `  a good client, calm: median ${at(calm, 0.5).toFixed(1)} ms, p99 ${at(calm, 0.99).toFixed(1)} ms`,
  );
  console.log(
    `  meanwhile:           median ${at(busy, 0.5).toFixed(1)} ms, p99 ${at(busy, 0.99).toFixed(1)} ms, max ${at(busy, 1).toFixed(1)} ms; ${(at(busy, 0.5) / at(calm, 0.5)).toFixed(1)} times the calm median`,
  );
  console.log(
    `  memory of the process: ${before.toFixed(0)} MB, at most ${(most - before).toFixed(0)} MB more`,
  );
  expect(at(busy, 1)).toBeLessThan(50);
  expect(most - before).toBeLessThan(100);
});
