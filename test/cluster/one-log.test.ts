import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { DetectionEvent, LogEntry } from '../../bus/messages.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { events, history, logs, status } from '../../bus/subjects.ts';
import type { MachineEntry } from '../../store/log/log-store.ts';
import { type ClusterRecorder, clusterMachines, startCluster } from '../support/cluster.ts';
import { attempt } from '../support/cluster-requests.ts';
import type { Recorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** From an event on one machine to its row on another. */
const soon = 5000;

/** A connection to a machine's own bus, as its processes have one. */
async function busOf({ folder }: Recorder): Promise<Bus> {
  const address = await waitFor(() => readBusAddress(join(folder, 'storage', 'bus')), 10_000, 'the bus');
  const bus = await Bus.connect(address, 'test');
  onTestFinished(() => bus.close());
  return bus;
}

const log = (bus: Bus, msg: string, id: string = randomUUID()) => {
  const entry: LogEntry = { level: 'info', time: nowUs(), msg, src: 'app', monitorID: 'door' };
  return bus.store(logs, ['info', 'app', 'door'], entry, id);
};

const event = (bus: Bus, id: string) => {
  const detections = [{ label: 'person', score: 90 }];
  const found: DetectionEvent = {
    ...{ id, monitorID: 'door', monitorName: 'Door', source: 'tflite', time: nowUs(), detections },
  };
  return bus.store(events, ['door', 'tflite'], found, id);
};

/** The messages of the test that a machine has of this one, oldest first. */
async function messagesOn({ recorder }: ClusterRecorder, { name }: ClusterRecorder): Promise<string[]> {
  const path = `/api/log/query?machines=${encodeURIComponent(name)}&monitors=door&limit=10000`;
  const found = await recorder.get<MachineEntry[]>(path);
  return found.map(({ msg }) => msg).reverse();
}

async function sql(recorder: Recorder, statement: string): Promise<unknown[][]> {
  const answer = await recorder.change('POST', '/api/log/sql', { sql: statement });
  return ((await answer.json()) as { rows: unknown[][] }).rows;
}

async function startMachines(machines = clusterMachines) {
  const cluster = await startCluster([], machines);
  const [a, b, c] = cluster;
  if (!a || !b) throw new Error('there are no machines');
  // A machine that takes over the accounts of the first one ends its logins, feeds among them.
  const zoe = { id: 'zoe', username: 'zoe', isAdmin: false, plainPassword: 'correct horse' };
  await waitFor(async () => (await attempt(a, 'PUT', '/api/account', zoe)).ok, 60_000, 'one configuration');
  const isKnown = async ({ recorder }: ClusterRecorder) =>
    'zoe' in (await recorder.get<Record<string, unknown>>('/api/accounts'));
  for (const member of cluster) await waitFor(() => isKnown(member), 30_000, 'the accounts everywhere');
  return { a, b, c };
}

test('what one machine logs and detects is asked of any other, and frames and states stay where they are', async () => {
  const { a, b } = await startMachines(clusterMachines.slice(0, 2));
  const [busA, busB] = [await busOf(a.recorder), await busOf(b.recorder)];
  const onB: string[] = [];
  busB.subscribe(status, ['*'], (_, subject) => onB.push(subject));
  busB.subscribe(logs, ['*', '*', '*'], ({ msg }, subject) => {
    if (msg.startsWith('of a')) onB.push(subject);
  });
  busB.subscribeFrames('door', 'gray', () => onB.push('frames'));
  busB.subscribeUnits('units.door.main', () => onB.push('units'));
  await busB.flush();
  // From a time on: a feed of new entries begins some milliseconds after its handshake.
  const feed = await b.recorder.feed('/api/logs?monitors=door&after=1');
  await log(busA, 'of a 1');
  await event(busA, 'e1');
  const first = await feed.frame<MachineEntry>(({ msg }) => msg === 'of a 1', 30_000);
  expect(first.machine).toBe(a.name);

  const at = nowUs();
  const state = { monitorID: 'door', state: 'streaming', reason: '', recording: true, since: at } as const;
  busA.publish(status, ['door'], state);
  const frame = {
    format: 'gray',
    width: 4,
    height: 4,
    timeUs: at,
    sequence: 0,
    data: Buffer.alloc(16),
  } as const;
  const picture = {
    ...({
      session: 's',
      sequence: 0,
      remaining: 0,
      codec: 'h264',
      keyFrame: true,
      continues: false,
    } as const),
    ...{ width: 4, height: 4, time: 0, timeUs: at, data: Buffer.alloc(16) },
    ...{ isNotice: false, again: false, passed: 0, sizes: [] },
  };
  busA.publishFrame('door', frame);
  busA.publishUnits('units.door.main', [picture]);
  await log(busA, 'of a 2');
  await feed.frame<MachineEntry>(({ msg }) => msg === 'of a 2', soon);
  await log(busB, 'of b 1');
  expect(await messagesOn(b, a)).toEqual(['of a 1', 'of a 2']);
  expect(await messagesOn(b, b)).toEqual(['of b 1']);
  const both = await b.recorder.get<MachineEntry[]>('/api/log/query?monitors=door');
  expect(both.map(({ msg, machine }) => [msg, machine])).toEqual([
    ['of b 1', b.name],
    ['of a 2', a.name],
    ['of a 1', a.name],
  ]);
  const counts = await b.recorder.get('/api/log/stats?monitors=door&group=machine');
  expect(counts).toEqual([
    { machine: a.name, count: 2 },
    { machine: b.name, count: 1 },
  ]);
  const listed = async () => {
    const found = await b.recorder.get<{ id: string; machine: string }[]>('/api/event/query');
    return found.find(({ id }) => id === 'e1')?.machine === a.name;
  };
  await waitFor(listed, soon, 'the event');
  expect(
    await sql(b.recorder, "SELECT msg, machine FROM logs WHERE monitorID = 'door' ORDER BY time"),
  ).toEqual([
    ['of a 1', a.name],
    ['of a 2', a.name],
    ['of b 1', b.name],
  ]);
  expect(await sql(b.recorder, 'SELECT id, label, machine FROM events')).toEqual([['e1', 'person', a.name]]);
  expect(onB).toEqual([]);

  // One that resumes has of each machine what follows, whenever it came.
  const positions = both.slice(1).map(({ time, machine }) => `${time}@${machine}`)[0];
  const resumed = await b.recorder.feed(`/api/logs?monitors=door&after=${at}&positions=${positions}`);
  await log(busA, 'of a 3');
  await resumed.frame<MachineEntry>(({ msg }) => msg === 'of a 3', soon);
  const resumedWith = () => resumed.frames.map((frame) => (JSON.parse(frame) as MachineEntry).msg).sort();
  // Those of one machine come in order, those of two as they arrive.
  await waitFor(() => resumed.frames.length >= 2, soon, 'the entry of the other machine');
  expect(resumedWith()).toEqual(['of a 3', 'of b 1']);
});

test('every entry of a machine is on the others once, whatever is killed or stands still', async () => {
  const { a, b, c } = await startMachines();
  if (!c) throw new Error('there are only two machines');
  const bus = await busOf(a.recorder);
  const expected: string[] = [];
  /** Logs on the machine as soon as it can be done, and waits until the others have it. */
  const logged = async (msg: string, of = bus) => {
    const id = randomUUID();
    await waitFor(() => log(of, msg, id).then(() => true), 30_000, 'the bus');
    expected.push(msg);
    const last = async (other: ClusterRecorder) => (await messagesOn(other, a)).at(-1) === msg;
    await waitFor(async () => (await last(b)) && (await last(c)), 45_000, `${msg} on the others`);
  };
  await logged('at first');

  const pidOf = (folder: string) => {
    const [pid] = a.recorder.children(new RegExp(`nats-server.*/storage/${folder}/.*nats-server.conf`));
    if (pid === undefined) throw new Error(`there is no server of ${folder}`);
    return pid;
  };
  process.kill(pidOf('bus'), 'SIGKILL');
  await logged('after the bus was killed');
  process.kill(pidOf('cluster'), 'SIGKILL');
  await logged('after its control server was killed');

  const stopped = pidOf('bus');
  process.kill(stopped, 'SIGSTOP');
  // The others have noticed, and look for it.
  await sleep(12_000);
  expect(await messagesOn(b, a)).toEqual(expected);
  process.kill(stopped, 'SIGCONT');
  await logged('after the bus stood still');

  const streaming = { monitorID: 'door', state: 'streaming', reason: '', recording: true } as const;
  await bus.store(history, ['door'], { ...streaming, since: nowUs() }, randomUUID());
  const door = `SELECT state FROM states WHERE machine = '${a.name}' AND monitorID = 'door' AND endTime IS NULL`;
  const isNow = (state: string, recorder: Recorder) =>
    waitFor(async () => (await sql(recorder, door)).flat()[0] === state, 45_000, `the door ${state}`);
  for (const recorder of [a.recorder, b.recorder, c.recorder]) await isNow('streaming', recorder);
  await a.recorder.kill();
  for (const { recorder } of [b, c]) await isNow('away', recorder);
  expect(await messagesOn(b, a)).toEqual(expected);
  const back = await a.recorder.restart();
  await logged('after the machine was killed', await busOf(back));
  for (const recorder of [back, b.recorder, c.recorder]) await isNow('stopped', recorder);
  for (const { recorder } of [b, c, { recorder: back }]) {
    expect(await messagesOn({ name: '', recorder }, a)).toEqual(expected);
    const rows = await sql(
      recorder,
      `SELECT msg FROM logs WHERE monitorID = 'door' AND machine = '${a.name}' ORDER BY time`,
    );
    expect(rows.flat()).toEqual(expected);
  }
});
