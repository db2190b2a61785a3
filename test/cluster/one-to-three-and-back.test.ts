import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type ClusterRecorder,
  clusterMachines,
  configurationOnAllVoters,
  recordedFrom,
  restartAs,
  settledCluster,
  startAlone,
  startTieBreaker,
} from '../support/cluster.ts';
import { attempt, monitorNames, monitorsEverywhere } from '../support/cluster-requests.ts';
import { testMonitor } from '../support/monitors.ts';
import { waitFor } from '../support/wait.ts';

const [first = '', second = '', third = ''] = clusterMachines;
const door = testMonitor('door', { alwaysRecord: true });
const demo = testMonitor('demo');

const recorded = (member: ClusterRecorder, sinceMs: number) =>
  waitFor(
    async () => (await recordedFrom([member], 'door')).some((start) => start / 1000 > sinceMs),
    30_000,
    `footage of the door on ${member.name}`,
  );
const put = (member: ClusterRecorder, monitor: object) => attempt(member, 'PUT', '/api/monitor', monitor);

test('as in the README: one recorder becomes three, and one again, with its monitors and recordings', async () => {
  const alone = await startAlone([door]);
  await recorded({ name: first, recorder: alone }, 0);

  // It is the first that gets the lines, and goes on.
  const since = Date.now();
  const a = { name: first, recorder: await restartAs(alone, first) };
  await recorded(a, since);
  expect(await (await put(a, { ...door, name: 'no' })).json()).toMatchObject({ code: 'no_majority' });
  expect(await monitorNames(a)).toEqual({ door: 'door' });

  const join2 = async (name: string) => ({ name, recorder: await restartAs(await startAlone([demo]), name) });
  const b = await join2(second);
  await monitorsEverywhere([a, b], { door: 'door' });
  const [kept = ''] = (await readdir(join(b.recorder.folder, 'configs'))).filter((name) =>
    name.startsWith('before-cluster-'),
  );
  const old = await readFile(join(b.recorder.folder, 'configs', kept, 'monitors', 'demo.json'), 'utf8');
  expect(JSON.parse(old)).toEqual(demo);
  expect(b.recorder.lines.join('\n')).toContain(`its own is kept in ${b.recorder.folder}/configs/${kept}`);
  // Two of three voters are a majority, before the third one has ever been there.
  await waitFor(async () => (await put(b, { ...door, name: 'two' })).ok, 30_000, 'a change by two machines');

  const c = await join2(third);
  await monitorsEverywhere([a, b, c], { door: 'two' });
  await settledCluster([a, b, c], [door]);
  await configurationOnAllVoters();
  await b.recorder.kill();
  // With three copies any two are enough.
  await waitFor(
    async () => (await put(c, { ...door, name: 'three' })).ok,
    60_000,
    'a change by the first and third',
  );
  await monitorsEverywhere([a, c], { door: 'three' });

  const before = await recordedFrom([a], 'door');
  await c.recorder.stop();
  const back = Date.now();
  const again = { name: first, recorder: await restartAs(a.recorder, undefined) };
  expect(await monitorNames(again)).toEqual({ door: 'three' });
  expect(await recordedFrom([again], 'door')).toEqual(expect.arrayContaining(before));
  await recorded(again, back);
  expect((await put(again, { ...door, name: 'one' })).status).toBe(200);
});

test('a machine says that another one has its name', async () => {
  const a = await restartAs(await startAlone([door]), first);
  await startTieBreaker(first);
  await a.line(/another machine is called .* too/, 30_000);
});
