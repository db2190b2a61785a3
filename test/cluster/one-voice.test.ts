import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { type ClusterRecorder, clusterMachines, settledCluster, startCluster } from '../support/cluster.ts';
import { motion, testMonitor } from '../support/monitors.ts';
import { type Broker, type Subscriber, startBroker } from '../support/mosquitto.ts';
import { eventsSeenBy, PublishedEvents, repeatedEvents } from '../support/published-events.ts';
import { eventsOn } from '../support/site-checker.ts';
import { waitFor } from '../support/wait.ts';

/** Something always moves. */
const monitors = ['m1', 'm2'].map((id) => testMonitor(id, { alwaysRecord: true, motion }));

async function startHouse() {
  const broker = await startBroker();
  const mqtt = { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port };
  const plugin = [...['auth_basic', 'motion'].map((name) => ({ name, enable: true })), mqtt];
  const cluster = await startCluster(monitors, clusterMachines, { plugin });
  await settledCluster(cluster, monitors);
  for (const { id } of monitors) await spoken(broker, id);
  const events = await broker.subscribe('sentryshot/events/motion');
  const states = await broker.subscribe('sentryshot/monitor/+/state');
  const from = Date.now();
  return { broker, cluster, events, states, from };
}

/** Waits until a machine speaks for a monitor, other than this one, and all that is retained says so. @returns its name. */
async function spoken(broker: Broker, id: string, not?: string): Promise<string> {
  const speaking = async () => {
    const retained = await broker.retained();
    const { machine = not } = JSON.parse(retained.get(`sentryshot/monitor/${id}/machine`) ?? '{}');
    const device = [...retained].find(([topic]) => topic.endsWith(`_${id}/config`))?.[1] ?? '';
    const found = {
      machine,
      state: retained.get(`sentryshot/monitor/${id}/state`),
      motion: retained.get(`sentryshot/monitor/${id}/motion`),
      available: retained.get(`sentryshot/machine/${machine}/available`),
      isOfDevice: device.includes(`sentryshot/machine/${machine}/available`),
    };
    const right = { machine, state: 'recording', motion: 'ON', available: 'online', isOfDevice: true };
    if (machine === not || !isDeepStrictEqual(found, right)) throw new Error(JSON.stringify(found));
    return machine as string;
  };
  return waitFor(speaking, 60_000, `one voice for ${id}`);
}

/** So old, what was detected is published and in all lists. */
const underWayMs = 3000;
const enoughEvents = 20;

/** What each machine lists since a moment, in milliseconds, was published as it should be; not what is still under way. */
async function expectTold(cluster: readonly ClusterRecorder[], events: Subscriber, from: number) {
  // On a fast machine little has happened so far.
  const isEnough = async (member: ClusterRecorder) =>
    (await eventsOn(member, from, Date.now() - underWayMs)).length > enoughEvents;
  for (const member of cluster) await waitFor(() => isEnough(member), 30_000, 'enough events');
  const until = Date.now() - underWayMs;
  const seen = (await Promise.all(cluster.map((member) => eventsSeenBy(member)))).flat();
  for (const member of cluster) {
    const listed = await eventsOn(member, from, until);
    expect(listed.length).toBeGreaterThan(enoughEvents);
    expect(repeatedEvents(listed)).toEqual([]);
    const missing = () => new PublishedEvents(events.messages).missing(listed, seen);
    await waitFor(() => missing().length === 0, 15_000, 'all events').catch(() => {});
    expect(missing()).toEqual([]);
  }
  expect(new PublishedEvents(events.messages).late(seen)).toEqual([]);
}

test('after a kill -9 another machine speaks within seconds, and every event is published', async () => {
  const { broker, cluster, events, states, from } = await startHouse();
  const owner = await spoken(broker, 'm1');
  const victim = cluster.find(({ name }) => name === owner);
  if (!victim) throw new Error(`there is no ${owner}`);
  const others = cluster.filter((member) => member !== victim);
  await victim.recorder.kill();
  const faultAt = Date.now();
  await spoken(broker, 'm1', owner);
  console.log(`another machine speaks after ${((Date.now() - faultAt) / 1000).toFixed(1)} s`);
  const back = { name: owner, recorder: await victim.recorder.restart() };
  await settledCluster([...others, back], monitors);
  await sleep(3000);
  await expectTold([...others, back], events, from);
  const said = new Set(states.messages.map(({ payload }) => payload));
  expect([...said].filter((state) => state === 'offline' || state === 'disabled')).toEqual([]);
});

test('what stands still and goes on detecting does not speak again, and every event is published', async () => {
  const { broker, cluster, events, from } = await startHouse();
  const owner = await spoken(broker, 'm1');
  const victim = cluster.find(({ name }) => name === owner);
  if (!victim) throw new Error(`there is no ${owner}`);
  victim.recorder.signal('SIGSTOP');
  const next = await spoken(broker, 'm1', owner);
  await sleep(3000);
  victim.recorder.signal('SIGCONT');
  await settledCluster(cluster, monitors);
  await sleep(3000);
  expect(await spoken(broker, 'm1')).toBe(next);
  await expectTold(cluster, events, from);
});
