import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import type { DeliveryReport, DetectionEvent } from '../../../bus/messages.ts';
import { startMqttBridge } from '../../../bus/mqtt/mqtt-bridge.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { replay, streamRange } from '../../../bus/nats/jetstream.ts';
import { deliveries, events } from '../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { startFakeBroker } from '../../support/fake-broker.ts';
import { startBroker } from '../../support/mosquitto.ts';
import { waitFor } from '../../support/wait.ts';

function event(n: number, labels = ['zone0']): DetectionEvent {
  return {
    id: `event${n}`,
    monitorID: 'one',
    monitorName: 'camera_1',
    source: 'motion',
    time: Date.parse('2024-11-20T14:23:15Z') * 1000 + n,
    detections: labels.map((label) => ({ label, score: 48.39815 })),
  };
}

const store = (bus: Bus, seen: DetectionEvent) => bus.store(events, ['one', 'motion'], seen, seen.id);

async function startBridge(bus: Bus, port: number, login = {}) {
  const log = silentLogger().source('mqtt');
  const warnings: string[] = [];
  const errors: string[] = [];
  const bridge = await startMqttBridge(
    bus,
    { host: '127.0.0.1', port, clientId: 'sentrybus-test', ...login },
    {
      ...log,
      warning: (message) => void warnings.push(message),
      error: (message) => void errors.push(message),
    },
  );
  atEnd(() => bridge.close());
  return { bridge, warnings, errors };
}

/** The bridge tells what happens from its first start on, so a test waits until it has begun. */
async function listening(bus: Bus): Promise<void> {
  const manager = await bus.jetStream.manager;
  await waitFor(() => manager.consumers.info('EVENTS', 'mqtt'), 5000, 'the bridge');
}

test('each detection is one message with exactly the fields of SentryShot', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker({ login: { username: 'nvr', password: 'secret' } });
  const subscriber = await broker.subscribe('sentryshot/events/#');
  await startBridge(bus, broker.port, { username: 'nvr', password: 'secret' });
  await listening(bus);
  await store(bus, event(437_494, ['zone0', 'zone2']));
  const messages = await waitFor(
    () => (subscriber.messages.length === 2 ? subscriber.messages : undefined),
    5000,
    'two messages',
  );
  expect(messages.map(({ topic, qos, retain }) => ({ topic, qos, retain }))).toEqual([
    { topic: 'sentryshot/events/motion', qos: 1, retain: false },
    { topic: 'sentryshot/events/motion', qos: 1, retain: false },
  ]);
  expect(JSON.parse(messages[1]?.payload ?? '')).toEqual({
    monitorID: 'one',
    monitorName: 'camera_1',
    label: 'zone2',
    score: 48.39815,
    time: '2024-11-20T14:23:15.437494000Z',
    source: 'motion',
  });
});

test('an event that was stored by an earlier version, with its time as text, is published as it would have been', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker();
  const subscriber = await broker.subscribe('sentryshot/events/#');
  await startBridge(bus, broker.port);
  await listening(bus);
  const time = '2024-11-20T14:23:15.437494000Z';
  for (const earlier of [
    { ...event(1), time: 'soon' },
    { ...event(2), time },
  ]) {
    const payload = new TextEncoder().encode(JSON.stringify(earlier));
    await bus.storeEncoded(events.subject('one', 'motion'), payload, earlier.id);
  }
  await store(bus, event(3));
  await subscriber.message(({ payload }) => payload.includes('.000003000Z'));
  // What has no time is left out, and holds up nothing.
  expect(subscriber.messages.map(({ payload }) => JSON.parse(payload).time)).toEqual([
    time,
    '2024-11-20T14:23:15.000003000Z',
  ]);
});

test('events wait while the broker is offline, and are published in their order when it is back', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker();
  const { bridge } = await startBridge(bus, broker.port);
  await listening(bus);
  await broker.kill();
  for (let n = 1; n <= 20; n += 1) await store(bus, event(n));
  await waitFor(async () => (await bridge.report()).length === 20, 5000, 'all to be counted');
  const again = await broker.restart();
  const subscriber = await again.subscribe('sentryshot/events/motion');
  await subscriber.message(({ payload }) => payload.includes('.000020000Z'));
  const times = subscriber.messages.map(({ payload }) => JSON.parse(payload).time as string);
  // The one that was on its way may come twice, and may have come before this subscriber did.
  expect([...new Set(times)]).toEqual([...times].sort().filter((time, i, all) => time !== all[i - 1]));
  expect(new Set(times).size).toBeGreaterThanOrEqual(19);
});

test('events that happen while the bridge is down are published when it runs again', async () => {
  const { bus, connect } = await startTestBus();
  const broker = await startBroker();
  const subscriber = await broker.subscribe('sentryshot/events/motion');
  const { bridge } = await startBridge(bus, broker.port);
  await listening(bus);
  await bridge.close();
  await store(bus, event(1));
  await store(bus, event(2));
  await startBridge(await connect(), broker.port);
  await subscriber.message(({ payload }) => payload.includes('.000002000Z'));
  expect(subscriber.messages).toHaveLength(2);
});

test('events are kept up to a number of them; those that expire before they are delivered are counted and logged', async () => {
  const { bus, connect } = await startTestBus();
  const broker = await startBroker();
  const subscriber = await broker.subscribe('sentryshot/events/motion');
  const { bridge } = await startBridge(bus, broker.port);
  await listening(bus);
  await store(bus, event(1));
  await subscriber.message(({ payload }) => payload.includes('.000001000Z'));
  await waitFor(async () => (await bridge.report()).length === 0, 5000, 'the confirmation');
  await bridge.close();
  for (let n = 2; n <= 11; n += 1) await store(bus, event(n));
  const { streams } = await bus.jetStream.manager;
  // Ten minutes at 50 a second.
  expect((await streams.info('EVENTS')).config.max_msgs).toBeGreaterThan(30_000);
  await streams.update('EVENTS', { max_msgs: 4 });
  const again = await startBridge(await connect(), broker.port);
  await subscriber.message(({ payload }) => payload.includes('.000011000Z'));
  expect((await again.bridge.report()).lost).toBe(6);
  expect(again.errors).toEqual(['6 events expired before they could be delivered to the broker']);
  const numbers = subscriber.messages.map(({ payload }) => Number(/\.(\d{6})000Z/.exec(payload)?.[1]));
  expect(numbers).toEqual([1, 8, 9, 10, 11]);
});

test('a broker that refuses the login is complained of once, without the password', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker({ login: { username: 'nvr', password: 'right' } });
  const { warnings } = await startBridge(bus, broker.port, { username: 'nvr', password: 'wrong' });
  await waitFor(() => warnings.length > 0, 5000, 'a warning');
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/Not authorized/i);
  expect(warnings[0]).not.toContain('wrong');
});

test('a delivery report follows the broker’s confirmation of an event, never precedes it', async () => {
  const { bus } = await startTestBus();
  const reports: DeliveryReport[] = [];
  const replaying = replay(bus, 'DELIVERIES', deliveries, 1, ({ message }) => {
    if (message) reports.push(message);
  });
  atEnd(async () => replaying.stop());
  const told = () => reports.flatMap((report) => report.deliveries);
  const broker = await startBroker();
  const { bridge } = await startBridge(bus, broker.port);
  await listening(bus);
  const before = nowUs();
  await store(bus, event(1, ['zone0', 'zone1']));
  await store(bus, event(2));
  await waitFor(() => told().length === 2, 5000, 'two deliveries');
  expect(reports).toHaveLength(1);
  const [first] = told();
  expect(first).toMatchObject({
    eventID: 'event1',
    monitorID: 'one',
    source: 'motion',
    time: event(1).time,
  });
  expect(first?.storedAt).toBeGreaterThanOrEqual(before);
  expect(first?.deliveredAt).toBeGreaterThanOrEqual(first?.storedAt ?? Number.POSITIVE_INFINITY);

  await broker.kill();
  await store(bus, event(3));
  const back = nowUs();
  await broker.restart();
  await waitFor(() => told().length === 3, 15_000, 'the third delivery');
  expect(told()[2]).toMatchObject({ eventID: 'event3' });
  expect(told()[2]?.deliveredAt).toBeGreaterThan(back);

  // What waits to be told is told when the bridge ends.
  const subscriber = await broker.subscribe('sentryshot/events/motion');
  await store(bus, event(4));
  await subscriber.message(({ payload }) => payload.includes('.000004000Z'));
  const { last } = await streamRange(bus, 'DELIVERIES');
  await bridge.close();
  expect((await streamRange(bus, 'DELIVERIES')).last).toBe(last + 1);
});

test('an event that the broker does not confirm keeps its place in the queue, and the next bridge begins with it', async () => {
  const { bus, connect } = await startTestBus();
  const topic = 'sentryshot/events/motion';
  const broker = await startFakeBroker({ forgets: topic });
  const { bridge } = await startBridge(bus, broker.port);
  await listening(bus);
  for (const n of [1, 2, 3]) await store(bus, event(n));
  const numbers = () =>
    broker.confirmed
      .filter(([name]) => name === topic)
      .map(([, payload]) => Number(/\.(\d{6})000Z/.exec(payload)?.[1]));
  await waitFor(() => numbers().length === 2, 5000, 'the others');
  expect((await bridge.report()).length).toBe(3);
  await bridge.close();
  await startBridge(await connect(), broker.port);
  await waitFor(() => numbers().length === 5, 5000, 'all of them');
  expect(numbers()).toEqual([2, 3, 1, 2, 3]);
});

test('whatever is restarted meanwhile, all events arrive in order, each with its own time', async () => {
  const { bus, server, connect } = await startTestBus();
  const broker = await startFakeBroker();
  const { bridge } = await startBridge(bus, broker.port);
  await listening(bus);
  const storeSome = async (from: number, to: number) => {
    for (let n = from; n < to; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, k) => store(bus, event(n + k))));
    }
  };
  await storeSome(0, 500);
  // Many are under way now.
  process.kill(server.pid, 'SIGKILL');
  await waitFor(() => store(bus, event(500)).then(() => true), 10_000, 'the bus');
  await storeSome(501, 1001);
  broker.setDown(true);
  await storeSome(1001, 1501);
  expect((await bridge.report()).length).toBeGreaterThan(499);
  broker.setDown(false);
  await storeSome(1501, 2001);
  await bridge.close();
  await storeSome(2001, 2501);
  const again = (await startBridge(await connect(), broker.port)).bridge;
  await waitFor(async () => (await again.report()).length === 0, 20_000, 'the end of the queue');
  const numbers = broker.confirmed
    .filter(([topic]) => topic === 'sentryshot/events/motion')
    .map(([, payload]) => Number((JSON.parse(payload).time as string).slice(-10, -4)));
  const firsts = [...new Set(numbers)];
  expect(firsts.findIndex((n, at) => n !== at)).toBe(-1);
  expect(firsts).toHaveLength(2501);
});
