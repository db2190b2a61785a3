import { beforeAll, expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { BrokerLink } from '../../../bus/mqtt/broker/broker-link.ts';
import { type MqttOptions, startMqttBridge } from '../../../bus/mqtt/mqtt-bridge.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { events } from '../../../bus/subjects.ts';
import { installationId } from '../../../store/config/installation-id.ts';
import { silentLogger, startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Broker, startBroker } from '../../support/mosquitto.ts';
import { door, TestHouse } from '../../support/test-house.ts';
import { waitFor } from '../../support/wait.ts';

/** One for all tests, so each has a prefix of its own. */
let broker: Broker;
beforeAll(async () => {
  broker = await startBroker({ connection: { protocolVersion: 5 } });
});

async function startBridge(bus: Bus, options: Partial<MqttOptions>, house?: TestHouse) {
  const usual = { host: '127.0.0.1', port: broker.port, clientId: 'options' };
  const bridge = await startMqttBridge(bus, { ...usual, ...options }, silentLogger().source('mqtt'), house);
  atEnd(() => bridge.close());
  const manager = await bus.jetStream.manager;
  await waitFor(() => manager.consumers.info('EVENTS', 'mqtt'), 5000, 'the bridge');
  return bridge;
}

async function storeEvent(bus: Bus): Promise<void> {
  const id = `event${Math.random()}`;
  const detections = [{ label: 'zone0', score: 48.5 }];
  const seen = { id, monitorID: 'door', monitorName: 'Door', source: 'motion', time: nowUs(), detections };
  await bus.store(events, ['door', 'motion'], seen, id);
}

test('an event expires after so many seconds, or never', async () => {
  const { bus } = await startTestBus();
  const subscriber = await broker.subscribe('expiry/+/events/motion');
  const bridge = await startBridge(bus, { prefix: 'expiry/some', messageExpiryS: 90 });
  await storeEvent(bus);
  const some = await subscriber.message(({ topic }) => topic.startsWith('expiry/some'));
  // The broker counts down.
  expect(some.expiryS).toBeGreaterThan(60);
  expect(some.expiryS).toBeLessThanOrEqual(90);
  await bridge.close();
  await startBridge(bus, { prefix: 'expiry/none' });
  await storeEvent(bus);
  const none = await subscriber.message(({ topic }) => topic.startsWith('expiry/none'));
  expect(none.expiryS).toBeUndefined();
});

test('every topic begins with the prefix, also those that Home Assistant and commands use', async () => {
  const { bus } = await startTestBus();
  const known = new Set((await broker.retained()).keys());
  const subscriber = await broker.subscribe('#');
  const house = new TestHouse([door]);
  await startBridge(bus, { prefix: 'attic/nvr', discoveryPrefix: 'ha' }, house);
  await subscriber.message(({ topic, payload }) => topic === 'attic/nvr/available' && payload === 'online');
  await storeEvent(bus);
  await subscriber.message(({ topic }) => topic === 'attic/nvr/events/motion');
  await broker.publish('attic/nvr/monitor/door/motion/set', 'OFF');
  await subscriber.message(
    ({ topic, payload }) => topic === 'attic/nvr/monitor/door/motion/enabled' && payload === 'OFF',
  );
  expect(house.changes).toEqual(['door motion false']);
  const topics = subscriber.messages.map(({ topic }) => topic).filter((topic) => !known.has(topic));
  expect(topics.filter((topic) => !/^(attic\/nvr|ha\/device)\//.test(topic))).toEqual([]);
  const devices = subscriber.messages.filter(({ topic }) => topic.startsWith('ha/device/'));
  const named = devices.flatMap(({ payload }) => [...payload.matchAll(/"(?:\w+_)?topic":"([^"]*)"/g)]);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(([, topic = '']) => !topic.startsWith('attic/nvr/'))).toEqual([]);
});

test.each(['ha/status', 'homeassistant/status'])(
  'with another discovery prefix, Home Assistant is told again when it has started, on %s',
  async (birthTopic) => {
    const { bus } = await startTestBus();
    await startBridge(bus, { prefix: birthTopic, discoveryPrefix: 'ha' }, new TestHouse([door]));
    const available = await broker.subscribe(`${birthTopic}/available`);
    await available.message(({ payload }) => payload === 'online');
    const subscriber = await broker.subscribe('ha/device/#');
    await subscriber.message(({ retain }) => retain);
    await broker.publish(birthTopic, 'online');
    await subscriber.message(({ topic, retain }) => topic === 'ha/device/options_door/config' && !retain);
  },
);

test('the broker says that the recorder is gone when it has not said so itself', async () => {
  const { bus } = await startTestBus();
  const available = await broker.subscribe('will/available');
  await startBridge(bus, { prefix: 'will', clientId: 'gone' });
  await available.message(({ payload }) => payload === 'online');
  // Another one with its name: the broker cuts its connection.
  const other = { host: '127.0.0.1', port: broker.port, clientId: 'gone' };
  const link = new BrokerLink(other, [], silentLogger().source('mqtt'), { onConnect() {}, onMessage() {} });
  atEnd(() => link.close(undefined, 500));
  await available.message(({ payload }) => payload === 'offline');
});

test('the client id is that of the installation: the same after every start, another for each', async () => {
  const [one, two] = [await temporaryFolder(), await temporaryFolder()];
  const id = await installationId(one);
  expect(id).toMatch(/^sentrybus-\w{22}$/);
  expect(await installationId(one)).toBe(id);
  expect(await installationId(two)).not.toBe(id);
  const { bus } = await startTestBus();
  const bridge = await startBridge(bus, { prefix: 'id', clientId: id });
  await broker.line(new RegExp(`New client connected .* as ${id} `));
  expect((await bridge.report()).clientId).toBe(id);
});
