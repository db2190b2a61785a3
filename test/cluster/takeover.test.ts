import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type ClusterRecorder,
  clusterMachines,
  machinesOf,
  recordedFrom,
  settledCluster,
  startCluster,
  startTieBreaker,
} from '../support/cluster.ts';
import { datagramsAt } from '../support/datagrams.ts';
import { temporaryFolder } from '../support/folder.ts';
import { testMonitor } from '../support/monitors.ts';
import { waitFor } from '../support/wait.ts';

const monitors = ['m1', 'm2', 'm3'].map((id) => testMonitor(id, { alwaysRecord: true }));
/** From the fault to the first picture elsewhere. */
const maxGapMs = 5000;
/** The same where nobody waits until a machine is silent for three seconds. */
const maxPlannedGapMs = 3000;

test('each monitor is recorded by one machine, and by another within 5 s of a kill -9', async () => {
  const cluster = await startCluster(monitors);
  await settledCluster(cluster, monitors);
  const { victim, others } = await busiestOf(cluster);
  await expectTakeover(others, victim.owned, () => victim.recorder.kill());
  await settledCluster(others, monitors);

  const back = { name: victim.name, recorder: await victim.recorder.restart() };
  await settledCluster([...others, back], monitors);
});

test('a machine that is stopped leaves its monitors at once, and what stands still is taken over', async () => {
  const cluster = await startCluster(monitors);
  await settledCluster(cluster, monitors);
  const first = await busiestOf(cluster);
  const stop = async () => first.victim.recorder.signal('SIGTERM');
  await expectTakeover(first.others, first.victim.owned, stop, maxPlannedGapMs);
  await settledCluster(first.others, monitors);

  const { victim, others } = await busiestOf(first.others);
  victim.recorder.signal('SIGSTOP');
  // Its pipelines go on meanwhile, so this gap is none.
  await settledCluster(others, monitors);
  victim.recorder.signal('SIGCONT');
  await settledCluster([victim, ...others], monitors);
});

test('with a tie-breaker, the one of two recorders that is left owns all monitors', async () => {
  const [one = '', two = '', third = ''] = clusterMachines;
  const socket = join(await temporaryFolder(), 'notify');
  const notices = datagramsAt(socket);
  const [cluster, tieBreaker] = await Promise.all([
    startCluster(monitors, [one, two]),
    startTieBreaker(third, { NOTIFY_SOCKET: socket }),
  ]);
  await settledCluster(cluster, monitors);
  const { victim, others } = await busiestOf(cluster);
  await expectTakeover(others, victim.owned, () => victim.recorder.kill());
  await settledCluster(others, monitors);

  tieBreaker.signal('SIGTERM');
  expect(await tieBreaker.exited).toBe(0);
  expect(notices).toEqual([`READY=1\nSTATUS=Voting as ${third}`, 'STOPPING=1']);
});

/** The machine that owns most monitors, as it says itself. */
async function busiestOf(cluster: readonly ClusterRecorder[]) {
  const owned = await Promise.all(
    cluster.map(async (member) => {
      const own = (await machinesOf(member)).find(({ name }) => name === member.name);
      return { ...member, owned: own?.owned ?? [] };
    }),
  );
  const victim = owned.reduce((a, b) => (b.owned.length > a.owned.length ? b : a));
  return { victim, others: cluster.filter(({ name }) => name !== victim.name) };
}

/** Others begin recordings of these monitors soon after the fault. */
async function expectTakeover(
  others: readonly ClusterRecorder[],
  ids: readonly string[],
  fault: () => Promise<void>,
  withinMs = maxGapMs,
): Promise<void> {
  await fault();
  const faultAt = Date.now();
  const gapsMs = await Promise.all(
    ids.map(async (id) => {
      const begun = async () => (await recordedFrom(others, id)).find((start) => start / 1000 > faultAt);
      return (await waitFor(begun, 20_000, `footage of ${id}`)) / 1000 - faultAt;
    }),
  );
  console.log(`recorded elsewhere after ${gapsMs.map((ms) => (ms / 1000).toFixed(2)).join(', ')} s`);
  expect(Math.max(...gapsMs)).toBeLessThan(withinMs);
}
