import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { MqttEvent } from '../../bus/messages.ts';
import { type ClusterRecorder, clusterMachines, settledCluster, startCluster } from '../support/cluster.ts';
import { motion, testMonitor } from '../support/monitors.ts';
import { type Broker, startBroker } from '../support/mosquitto.ts';
import { waitFor } from '../support/wait.ts';

/** Something always moves. */
const monitors = ['m1', 'm2'].map((id) => testMonitor(id, { alwaysRecord: true, motion }));

/** Two machines that see something within this, in microseconds, see the same. */
const sameUs = 1_900_000;

interface ShownEvent {
  readonly id: string;
  readonly monitorID: string;
  readonly machine: string;
  readonly time: number;
}

async function startHouse() {
  const broker = await startBroker();
  const mqtt = { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port };
  const plugin = [...['auth_basic', 'motion'].map((name) => ({ name, enable: true })), mqtt];
  const cluster = await startCluster(monitors, clusterMachines, { plugin });
  await settledCluster(cluster, monitors);
  for (const { id } of monitors) await spoken(broker, id);
  const events = await broker.subscribe('sentryshot/events/motion');
  const states = await broker.subscribe('sentryshot/monitor/+/state');
  const from = nowUs();
  return { broker, cluster, events, states, from };
}

/** Waits until a machine speaks for a monitor, other than this one, and all that is retained says so. @returns its name. */
async function spoken(broker: Broker, id: string, not?: string): Promise<string> {
  const speaking = async () => {
    const retained = await broker.retained();
    const { machine = not } = JSON.parse(retained.get(`sentryshot/monitor/${id}/machine`) ?? '{}');
    const device = [...retained].find(([topic]) => topic.endsWith(`_${id}/config`))?.[1] ?? '';
    const isRight =
      retained.get(`sentryshot/monitor/${id}/state`) === 'recording' &&
      retained.get(`sentryshot/monitor/${id}/motion`) === 'ON' &&
      retained.get(`sentryshot/machine/${machine}/available`) === 'online' &&
      device.includes(`sentryshot/machine/${machine}/available`);
    return isRight && machine !== not ? (machine as string) : undefined;
  };
  return waitFor(speaking, 60_000, `one voice for ${id}`);
}

/** Each moment is listed of one machine alone, each event that is listed was published, and those of each machine in order. */
async function expectPublished(
  { recorder }: ClusterRecorder,
  published: () => readonly { readonly payload: string }[],
  span: { readonly from: number; readonly to: number },
): Promise<void> {
  const path = `/api/event/query?start=${span.from}&end=${span.to}&order=oldest&limit=500`;
  const shown: ShownEvent[] = [];
  for (let page: ShownEvent[] = []; ; ) {
    const after = page.at(-1)?.time;
    page = await recorder.get<ShownEvent[]>(
      after === undefined ? path : path.replace(`${span.from}`, `${after}`),
    );
    shown.push(...page.filter(({ id }) => !shown.some((other) => other.id === id)));
    if (page.length < 500) break;
  }
  const keyOf = ({ monitorID, time }: Pick<ShownEvent, 'monitorID' | 'time'>) => `${monitorID} ${time}`;
  const keys = () =>
    published().map(({ payload }) => {
      const { monitorID, time } = JSON.parse(payload) as MqttEvent;
      return keyOf({ monitorID, time: Date.parse(time) * 1000 + Number(time.slice(23, 26)) });
    });
  for (const event of shown) {
    const isSame = ({ monitorID, machine, time }: ShownEvent) =>
      monitorID === event.monitorID && machine !== event.machine && Math.abs(time - event.time) < sameUs;
    expect(shown.filter(isSame)).toEqual([]);
  }
  const missing = () => {
    const found = new Set(keys());
    return shown
      .filter((event) => !found.has(keyOf(event)))
      .map(({ machine, time }) => [machine, time - span.from]);
  };
  await waitFor(() => missing().length === 0, 15_000, 'all events').catch(() => {});
  expect(shown.length).toBeGreaterThan(20);
  expect(missing()).toEqual([]);
  const all = keys();
  for (const { id } of monitors) {
    for (const machine of clusterMachines) {
      const own = shown.filter((event) => event.monitorID === id && event.machine === machine);
      let place = -1;
      const isInOrder = (event: ShownEvent) => {
        place = all.indexOf(keyOf(event), place + 1);
        return place >= 0;
      };
      expect(own.every(isInOrder)).toBe(true);
    }
  }
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
  const span = { from, to: nowUs() - 3e6 };
  for (const member of [...others, back]) await expectPublished(member, () => events.messages, span);
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
  const span = { from, to: nowUs() - 3e6 };
  for (const member of cluster) await expectPublished(member, () => events.messages, span);
});
