import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ClusterRecorder, recordedFrom, settledCluster, startCluster } from '../support/cluster.ts';
import { attempt, monitorNames, monitorsEverywhere } from '../support/cluster-requests.ts';
import { testMonitor } from '../support/monitors.ts';
import { waitFor } from '../support/wait.ts';

const door = testMonitor('door', { alwaysRecord: true });
const yard = testMonitor('yard', { alwaysRecord: true });

const restarted = async ({ name, recorder }: ClusterRecorder) => ({
  name,
  recorder: await recorder.restart(),
});
const filesOf = ({ recorder }: ClusterRecorder) =>
  Promise.all(
    ['monitors/door.json', 'accounts.json'].map((file) =>
      readFile(join(recorder.folder, 'configs', file), 'utf8'),
    ),
  );

test('settings are the same on all machines, also on one that was away; only a majority changes them', async () => {
  const cluster = await startCluster([door]);
  let [a, b, c] = cluster as [ClusterRecorder, ClusterRecorder, ClusterRecorder];
  await waitFor(async () => (await attempt(a, 'PUT', '/api/monitor', yard)).ok, 60_000, 'the first change');
  await monitorsEverywhere(cluster, { door: 'door', yard: 'yard' });
  await settledCluster(cluster, [door, yard]);

  const zoe = { username: 'zoe', password: 'correct horse' };
  const account = { id: 'zoe', username: 'zoe', isAdmin: false, plainPassword: zoe.password };
  expect((await attempt(b, 'PUT', '/api/account', account)).status).toBe(201);
  const token = async ({ recorder }: ClusterRecorder) =>
    (await recorder.fetch('/api/account/my-token', {}, zoe)).text();
  await waitFor(async () => (await token(c)) === (await token(a)), 10_000, 'one token on both');

  // Two people save the same at once.
  for (const round of [1, 2, 3, 4, 5]) {
    const names = [`a${round}`, `b${round}`];
    const answers = await Promise.all(
      [a, b].map((member, index) =>
        attempt(member, 'PUT', '/api/monitor', { ...door, name: names[index] ?? '' }),
      ),
    );
    const saved = names.filter((_, index) => answers[index]?.ok);
    expect(saved.length).toBeGreaterThan(0);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    const { door: name = '' } = await monitorNames(saved.includes(names[0] ?? '') ? a : b);
    if (saved.length === 1) expect(saved).toContain(name);
    await waitFor(
      async () =>
        new Set((await Promise.all(cluster.map(monitorNames))).map((found) => found['door'])).size === 1,
      10_000,
      'the same everywhere',
    );
  }

  await c.recorder.kill();
  const front = { ...door, name: 'front' };
  const change = async () => (await attempt(a, 'PUT', '/api/monitor', front)).ok;
  await waitFor(change, 30_000, 'a change by the other two');
  expect((await attempt(b, 'DELETE', '/api/monitor?id=yard')).status).toBe(200);
  c = await restarted(c);
  await monitorsEverywhere([a, b, c], { door: 'front' });
  await settledCluster([a, b, c], [door]);

  await Promise.all([a.recorder.kill(), b.recorder.kill()]);
  const before = await filesOf(c);
  const refused = await attempt(c, 'PUT', '/api/monitor', { ...door, name: 'refused' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await refused.json()).toMatchObject({
    code: 'no_majority',
    detail: expect.stringContaining('Nothing was changed'),
  });
  expect((await attempt(c, 'DELETE', '/api/account?id=zoe')).status).toBe(503);
  expect(await filesOf(c)).toEqual(before);

  // Alone, after a restart, it logs people in and records.
  await c.recorder.kill();
  // Before the start: on a busy machine it records before it answers.
  const aloneSince = Date.now();
  c = await restarted(c);
  expect((await c.recorder.fetch('/api/session', {}, zoe)).status).toBe(200);
  const isRecorded = async () => (await recordedFrom([c], 'door')).some((start) => start / 1000 > aloneSince);
  await waitFor(isRecorded, 30_000, 'footage of the machine that is alone');

  [a, b] = await Promise.all([restarted(a), restarted(b)]);
  const works = async () => (await attempt(b, 'PUT', '/api/monitor', yard)).ok;
  await waitFor(works, 60_000, 'a change by all three');
  await monitorsEverywhere([a, b, c], { door: 'front', yard: 'yard' });
});
