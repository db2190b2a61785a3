import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { launchChromium } from '../support/chromium.ts';
import {
  type ClusterRecorder,
  clusterMachines,
  configurationOnAllVoters,
  machinesOf,
  recordedFrom,
  restartAs,
  settledCluster,
  startAlone,
  startCluster,
} from '../support/cluster.ts';
import { attempt, monitorsEverywhere } from '../support/cluster-requests.ts';
import { testMonitor } from '../support/monitors.ts';
import { openPage } from '../support/pages.ts';
import { waitFor } from '../support/wait.ts';

const [first = '', second = '', third = ''] = clusterMachines;
const two = [first, second];
const monitors = ['m1', 'm2', 'm3', 'm4'].map((id) => testMonitor(id, { alwaysRecord: true }));
const maxGapMs = 5000;
/** By then another machine would have begun. */
const patienceMs = 8000;

/** Two machines that are listed alone, and what the first one says of the second. */
async function startTwo(withoutQuorum: 'record' | 'wait') {
  const cluster = await startCluster(monitors, two, {
    cluster: { machines: two, without_quorum: withoutQuorum },
  });
  await settledCluster(cluster, monitors);
  const [asked, victim] = cluster;
  if (!asked || !victim) throw new Error('there are less than two machines');
  const heard = async () => {
    const owned = (await machinesOf(asked)).find(({ name }) => name === second)?.owned ?? [];
    return owned.length > 0 && owned;
  };
  const owned = await waitFor(heard, 60_000, 'monitors of the second machine');
  return { asked, victim, owned };
}

/** Milliseconds from a moment until a machine records the last of these monitors. */
async function recordedAfter(machine: ClusterRecorder, ids: readonly string[], sinceMs: number) {
  const begun = ids.map((id) => async () => {
    const starts = await recordedFrom([machine], id);
    return starts.find((start) => start / 1000 > sinceMs);
  });
  const starts = await Promise.all(begun.map((look) => waitFor(look, 20_000, 'footage of all of them')));
  return Math.max(...starts) / 1000 - sinceMs;
}

test('of two machines alone, one records what the other one recorded, and nothing is changed until both are there', async () => {
  const { asked, victim, owned } = await startTwo('record');
  const killedAt = Date.now();
  await victim.recorder.kill();
  expect(await recordedAfter(asked, owned, killedAt)).toBeLessThan(maxGapMs);
  const refused = await attempt(asked, 'PUT', '/api/monitor', { ...monitors[0], name: 'no' });
  expect([refused.status, await refused.json()]).toEqual([
    503,
    expect.objectContaining({ code: 'no_majority' }),
  ]);
  const back = { name: second, recorder: await victim.recorder.restart() };
  await settledCluster([asked, back], monitors);
  const names = Object.fromEntries(monitors.map(({ id }) => [id, id]));
  await waitFor(
    async () => (await attempt(back, 'PUT', '/api/monitor', { ...monitors[0], name: 'yes' })).ok,
    30_000,
    'a change by both',
  );
  await monitorsEverywhere([asked, back], { ...names, m1: 'yes' });
});

test('of two machines that wait, one takes over when somebody presses the button beside the other one', async () => {
  const [{ asked, victim, owned }, browser] = await Promise.all([startTwo('wait'), launchChromium()]);
  const { page } = await openPage(browser, `${asked.recorder.url}/live`, asked.recorder.admin);
  const killedAt = Date.now();
  await victim.recorder.kill();
  const button = page.getByRole('button', { name: 'Record its cameras here' });
  await button.waitFor({ timeout: 20_000 });
  await pause(patienceMs);
  for (const id of owned)
    expect((await recordedFrom([asked], id)).filter((start) => start / 1000 > killedAt)).toEqual([]);
  page.on('dialog', (dialog) => void dialog.accept());
  const pressedAt = Date.now();
  await button.click();
  expect(await recordedAfter(asked, owned, pressedAt)).toBeLessThan(maxGapMs);
  await button.waitFor({ state: 'detached', timeout: 20_000 });
  const back = { name: second, recorder: await victim.recorder.restart() };
  await settledCluster([asked, back], monitors);
});

test('a fourth machine is added, records its part, and stands in for one that votes', async () => {
  const fourth = third.replace(/\d+$/, '4');
  const four = [...clusterMachines, fourth];
  const cluster = await startCluster(monitors);
  await settledCluster(cluster, monitors);
  const all: ClusterRecorder[] = [];
  for (const { name, recorder } of cluster)
    all.push({ name, recorder: await restartAs(recorder, name, four) });
  const added = { name: fourth, recorder: await restartAs(await startAlone([]), fourth, four) };
  all.push(added);
  await monitorsEverywhere(all, Object.fromEntries(monitors.map(({ id }) => [id, id])));
  const isEven = async () => (await machinesOf(added)).every(({ owned }) => owned.length === 1);
  await waitFor(isEven, 120_000, 'one monitor on each machine');
  await settledCluster(all, monitors);

  // It has no vote and no copy, and takes part in everything else.
  expect((await attempt(added, 'PUT', '/api/monitor', { ...monitors[0], name: 'changed' })).status).toBe(200);
  const [one, other] = all;
  if (!one || !other) throw new Error('there is one machine');
  const logged = async () => {
    const entries = await other.recorder.get<LogEntry[]>(`/api/log/query?machines=${fourth}`);
    return entries.length > 0;
  };
  await waitFor(logged, 30_000, 'the log of the fourth machine on another one');

  await one.recorder.kill();
  const rest = all.filter((machine) => machine !== one);
  await settledCluster(rest, monitors);
  const later = await attempt(added, 'PUT', '/api/monitor', { ...monitors[1], name: 'changed too' });
  expect(later.status).toBe(200);
  await added.recorder.kill();
  await settledCluster(
    rest.filter((machine) => machine !== added),
    monitors,
  );
});

test('two machines become three', async () => {
  const cluster = await startCluster(monitors, two, { cluster: { machines: two } });
  await settledCluster(cluster, monitors);
  const all: ClusterRecorder[] = [];
  for (const { name, recorder } of cluster) all.push({ name, recorder: await restartAs(recorder, name) });
  all.push({ name: third, recorder: await restartAs(await startAlone([]), third) });
  await settledCluster(all, monitors);
  await configurationOnAllVoters();
  const [one, other, added] = all;
  if (!one || !other || !added) throw new Error('there are less than three machines');
  await one.recorder.kill();
  await settledCluster([other, added], monitors);
  const change = async () => (await attempt(added, 'PUT', '/api/monitor', monitors[0])).ok;
  await waitFor(change, 60_000, 'a change by the second and third');
});
