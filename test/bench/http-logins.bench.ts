import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChild } from '../support/child.ts';
import { atEnd } from '../support/cleanup.ts';
import { fetchThrough } from '../support/https.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';

/** What 200 wrong logins at once do to somebody who is logged in. */

const attackers = 200;

const resident = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const at = (values: number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;

test.each([1, 200])('200 wrong logins at once from %i addresses', async (addresses) => {
  const recorder = await startRecorder();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  atEnd(async () => agent.destroy());
  const { username, password } = recorder.admin;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const good = async () => {
    const begin = performance.now();
    const answer = await fetchThrough(agent, `${recorder.url}/api/account/my-token`, {
      headers: { authorization },
    });
    const took = performance.now() - begin;
    expect(answer.status).toBe(200);
    return took;
  };
  for (let k = 0; k < 300; k += 1) await good();
  const calm: number[] = [];
  for (let k = 0; k < 300; k += 1) calm.push(await good());

  // Connected before: what is measured is the logins, not the handshakes.
  const script = join(project, 'test/bench/crowd.mjs');
  const crowd = startChild('node', [script, 'login', recorder.url, String(attackers), String(addresses)]);
  await crowd.line(/^connected$/);
  const before = resident(recorder.pid);
  let most = before;
  let attacked = true;
  const done = crowd.line(/^done: (.*)$/, 60_000).finally(() => {
    attacked = false;
  });
  crowd.signal('SIGUSR2');
  const busy: number[] = [];
  while (attacked) {
    busy.push(await good());
    most = Math.max(most, resident(recorder.pid));
    await pause(1);
  }
  const [, outcome] = await done;
  const ratio = at(busy, 0.5) / at(calm, 0.5);
  console.log(`${attackers} wrong logins at once from ${addresses} addresses: ${outcome}`);
  console.log(
    `  a good client, calm: median ${at(calm, 0.5).toFixed(1)} ms, p99 ${at(calm, 0.99).toFixed(1)} ms`,
  );
  console.log(
    `  meanwhile:           median ${at(busy, 0.5).toFixed(1)} ms (${ratio.toFixed(1)} times), p99 ${at(busy, 0.99).toFixed(1)} ms, max ${at(busy, 1).toFixed(1)} ms`,
  );
  console.log(`  memory: ${before.toFixed(0)} MB before, at most ${(most - before).toFixed(0)} MB more`);
  expect(at(busy, 0.99)).toBeLessThan(50);
  expect(most - before).toBeLessThan(100);
});
