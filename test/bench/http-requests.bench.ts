import { Agent } from 'node:https';
import { expect, test } from 'vitest';
import { atEnd } from '../support/cleanup.ts';
import { fetchThrough } from '../support/https.ts';
import { startRecorder } from '../support/recorder.ts';

/** What a login costs a request: with known credentials hardly anything. */

const rounds = 10;
const requests = 300;

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test('an authenticated request', async () => {
  const recorder = await startRecorder();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  atEnd(async () => agent.destroy());
  const authorization = `Basic ${Buffer.from(`${recorder.admin.username}:${recorder.admin.password}`).toString('base64')}`;
  const measure = async (path: string, headers: Record<string, string>) => {
    const begin = performance.now();
    for (let k = 0; k < requests; k += 1)
      await (await fetchThrough(agent, recorder.url + path, { headers })).text();
    return (performance.now() - begin) / requests;
  };
  const first = performance.now();
  await recorder.fetch('/api/account/my-token');
  const login = performance.now() - first;

  const open: number[] = [];
  const known: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    open.push(await measure('/api/health', {}));
    known.push(await measure('/api/account/my-token', { authorization }));
  }
  const [reference, cached] = [median(open), median(known)];
  console.log(`without a login (/api/health)     ${reference.toFixed(3)} ms`);
  console.log(
    `with known credentials (my-token) ${cached.toFixed(3)} ms, ${(cached / reference).toFixed(2)} times that`,
  );
  console.log(`the login itself                  ${(cached - reference).toFixed(3)} ms`);
  console.log(`a first login, with derivation    ${login.toFixed(0)} ms`);
  expect(cached - reference).toBeLessThan(1);
});
