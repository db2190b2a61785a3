import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../../../bus/base/time.ts';
import type { MqttEvent } from '../../../../bus/messages.ts';
import { type Broker, startBroker } from '../../../support/mosquitto.ts';
import { holds, startMachine } from '../../../support/voice-machine.ts';
import { waitFor } from '../../../support/wait.ts';

/** So long after its beginning a speaker says all once more; and so long a machine is not heard that stands still. */
const [settleMs, silentMs] = [2500, 2500];

function claims(broker: Broker, machine: string, rank: number): Promise<unknown> {
  const isClaimed = async () => {
    const claim = (await broker.retained()).get('sentryshot/monitor/door/machine');
    return claim?.includes(`"machine":"${machine}","rank":${rank}`) === true;
  };
  return waitFor(isClaimed, 10_000, `the claim of ${machine}`);
}

test('one machine speaks for a monitor, and the next one takes over what it holds and publishes', async () => {
  const broker = await startBroker();
  const published = await broker.subscribe('sentryshot/events/#');
  const names = () => published.messages.map(({ payload }) => (JSON.parse(payload) as MqttEvent).monitorName);
  const [a, b] = [await startMachine('a', broker), await startMachine('b', broker)];
  a.site.hears({ a: 5, b: undefined });
  b.site.hears({ b: undefined, a: 5 });
  a.is('streaming');
  b.is('disabled');
  await holds(broker, 'sentryshot/monitor/door/state', 'streaming');
  await a.seen('a1');
  await published.message(({ payload }) => payload.includes('"a1"'));

  // A planned move: both record it, the owner speaks.
  a.site.hears({ a: 5, b: 0 });
  b.site.hears({ b: 0, a: 5 });
  const states = await broker.subscribe('sentryshot/monitor/door/state');
  b.is('waiting');
  await b.seen('b1');
  await a.seen('a2');
  await published.message(({ payload }) => payload.includes('"a2"'));
  const before = await broker.retained();
  expect(JSON.parse(before.get('homeassistant/device/site_door/config') ?? '')).toMatchObject({
    device: { via_device: 'site_machine_a' },
    components: { motion_enabled: { availability: [{ topic: 'sentryshot/machine/a/available' }] } },
  });
  expect(before.get('homeassistant/device/site_machine_a/config')).toContain('Sentrybus a');
  expect(before.has('sentryshot/available')).toBe(false);
  expect(before.has('sentryshot/recorder/storage_days_left')).toBe(false);

  // The owner is dead: what the other one has seen since it was heard last is published. It was heard after b1.
  b.site.hears({ b: 0, a: 5 });
  a.site.hears({});
  b.site.hears({ b: 0 });
  await b.seen('b2');
  await a.bridge.close();
  await published.message(({ payload }) => payload.includes('"b2"'));
  await holds(broker, 'sentryshot/machine/a/available', 'offline');
  await holds(broker, 'sentryshot/monitor/door/state', 'offline');
  b.is('streaming');
  await holds(broker, 'sentryshot/monitor/door/state', 'streaming');
  const after = await broker.retained();
  expect(JSON.parse(after.get('sentryshot/monitor/door/machine') ?? '')).toMatchObject({ machine: 'b' });
  expect(after.get('homeassistant/device/site_door/config')).toContain('sentryshot/machine/b/available');
  expect(names()).toEqual(['a1', 'a2', 'b2']);
  expect(states.messages.map(({ payload }) => payload)).not.toContain('disabled');

  // A monitor that is deleted leaves nothing.
  b.house.set([]);
  const left = async () => [...(await broker.retained()).keys()].filter((topic) => topic.includes('door'));
  await waitFor(async () => (await left()).length === 0, 10_000, 'the topics to be cleared');
});

test('what was held is published before what is newer, once nobody has the turn', async () => {
  const broker = await startBroker();
  const published = await broker.subscribe('sentryshot/events/#');
  const [a, b] = [await startMachine('a', broker), await startMachine('b', broker)];
  a.site.hears({ a: 5, b: 0 });
  b.site.hears({ b: 0, a: 5 });
  a.is('streaming');
  await holds(broker, 'sentryshot/monitor/door/state', 'streaming');
  const from = nowUs();
  await b.seen('b1');
  await a.seen('a1');
  await published.message(({ payload }) => payload.includes('"a1"'));
  const turns = [
    { machine: 'a', since: 0 },
    { machine: '', since: from },
    { machine: 'a', since: from + 3600e6 },
  ];
  const claim = { machine: 'a', rank: 5, streaming: true, turns };
  await broker.publish('sentryshot/monitor/door/machine', JSON.stringify(claim), { retain: true });
  await published.message(({ payload }) => payload.includes('"b1"'));
  await b.seen('b2');
  await published.message(({ payload }) => payload.includes('"b2"'));
});

test('what was held is published before what is newer and waits for the broker', async () => {
  const before = await startBroker({ isPersistent: true });
  const [a, b] = [await startMachine('a', before), await startMachine('b', before)];
  const waiting = async () => (await b.bridge.report()).length;
  a.site.hears({ a: 5, b: 0 });
  b.site.hears({ b: 0, a: 5 });
  await claims(before, 'a', 5);
  // It has sent its last heartbeat.
  b.site.hears({ b: 0, a: 5 }, 'a');
  await b.seen('b1');
  await waitFor(async () => (await waiting()) === 0, 10_000, 'b1 to be held');
  await killWithState(before);
  await b.seen('b2');
  await waitFor(async () => (await waiting()) === 1, 10_000, 'b2 to wait');
  await a.bridge.close();
  b.site.hears({ b: 0 });
  const broker = await before.restart();
  const published = await broker.subscribe('sentryshot/events/#');
  for (const name of ['b1', 'b2']) await published.message(({ payload }) => payload.includes(name), 30_000);
  const names = published.messages.map(({ payload }) => (JSON.parse(payload) as MqttEvent).monitorName);
  expect(names).toEqual(['b1', 'b2']);
});

test('of two machines that do not hear each other, the one with the higher rank speaks', async () => {
  const broker = await startBroker();
  const published = await broker.subscribe('sentryshot/events/#');
  const [a, b] = [await startMachine('a', broker), await startMachine('b', broker)];
  a.site.hears({ a: 5 });
  await claims(broker, 'a', 5);
  b.site.hears({ b: 0 });
  await b.seen('b1');
  await a.seen('a1');
  await published.message(({ payload }) => payload.includes('"a1"'));
  b.site.hears({ b: 6 });
  await claims(broker, 'b', 6);
  await b.seen('b2');
  await published.message(({ payload }) => payload.includes('"b2"'));
  a.is('streaming');
  b.is('streaming');
  await holds(broker, 'sentryshot/monitor/door/state', 'streaming');
  expect(published.messages.some(({ payload }) => payload.includes('"b1"'))).toBe(false);
});

/** Machine a speaks, b does not hear it. The broker is dead. */
async function speakUntilBrokerDies() {
  const before = await startBroker({ isPersistent: true });
  const [a, b] = [await startMachine('a', before), await startMachine('b', before)];
  a.site.hears({ a: 5 });
  await claims(before, 'a', 5);
  b.site.hears({ b: 0 });
  await killWithState(before);
  return { a, b, before };
}

/** It comes back with what it has now, without last wills. */
async function killWithState(broker: Broker): Promise<void> {
  process.kill(broker.pid, 'SIGUSR1');
  await broker.line(/Saving in-memory database/);
  await broker.retained();
  await broker.kill();
}

test('a machine that has died while the broker was down is not taken for one that speaks', async () => {
  const { a, b, before } = await speakUntilBrokerDies();
  await a.bridge.close();
  await b.seen('b1');
  const broker = await before.restart();
  const published = await broker.subscribe('sentryshot/events/#');
  expect((await broker.retained()).get('sentryshot/machine/a/available')).toBe('online');
  await published.message(({ payload }) => payload.includes('"b1"'), 30_000);
  await holds(broker, 'sentryshot/machine/a/available', 'offline');
  b.is('streaming');
  await holds(broker, 'sentryshot/monitor/door/state', 'streaming');
});

test('after a restart of the broker the one with the higher rank speaks, as before', async () => {
  const { a, b, before } = await speakUntilBrokerDies();
  const broker = await before.restart();
  const published = await broker.subscribe('sentryshot/events/#');
  const asked = await broker.subscribe('sentryshot/machine/+/alive');
  const connected = async () =>
    (await Promise.all([a, b].map(({ bridge }) => bridge.report()))).every(({ isConnected }) => isConnected);
  await waitFor(connected, 20_000, 'both to be connected');
  await b.seen('b1');
  await a.seen('a1');
  await published.message(({ payload }) => payload.includes('"a1"'));
  a.is('streaming');
  await holds(broker, 'sentryshot/monitor/door/state', 'streaming');
  expect(published.messages.some(({ payload }) => payload.includes('"b1"'))).toBe(false);
  expect(asked.messages.length).toBeLessThan(10);
});

test('a claim that is worth less does not stay at the broker', async () => {
  const broker = await startBroker();
  const a = await startMachine('a', broker);
  a.site.hears({ a: 5 });
  await claims(broker, 'a', 5);
  const topic = 'sentryshot/monitor/door/machine';
  const claim = { machine: 'b', rank: 4, streaming: true, turns: [{ machine: 'b', since: 7 }] };
  const seen = await broker.subscribe(topic);
  await broker.publish(topic, JSON.stringify(claim), { retain: true });
  await seen.message(({ payload }) => payload.includes('"machine":"b"'));
  await claims(broker, 'a', 5);
});

test('what a machine publishes that stood still, until it knows who speaks, does not stay at the broker', async () => {
  const broker = await startBroker();
  const a = await startMachine('a', broker, { hasFrigate: true });
  a.site.hears({ a: 5, b: undefined });
  a.is('streaming');
  const [state, device] = ['sentryshot/monitor/door/state', 'homeassistant/device/site_door/config'];
  const count = 'frigate/door/person';
  await holds(broker, state, 'streaming');
  await sleep(settleMs);
  const before = (await broker.retained()).get(device);
  a.site.hears({ a: 5 });
  await sleep(silentMs);
  a.site.hears({ a: 5, b: undefined });
  for (const topic of [state, device, count]) await broker.publish(topic, 'offline', { retain: true });
  await holds(broker, state, 'offline');
  await holds(broker, state, 'streaming');
  await holds(broker, device, before);
  await holds(broker, count, '0');
});

test('a machine that is said to be offline by mistake announces itself', async () => {
  const broker = await startBroker();
  await startMachine('a', broker);
  const alive = await broker.subscribe('sentryshot/machine/a/alive');
  await broker.publish('sentryshot/machine/c/alive', 'ask');
  expect(await alive.message(() => true)).toMatchObject({ payload: 'answer', retain: false });
  const available = await broker.subscribe('sentryshot/machine/a/available');
  await broker.publish('sentryshot/machine/a/available', 'offline', { retain: true });
  await available.message(({ payload }) => payload === 'offline');
  await holds(broker, 'sentryshot/machine/a/available', 'online');
});
