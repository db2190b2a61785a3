import { expect, test } from 'vitest';
import { startMqttBridge } from '../../../bus/mqtt/mqtt-bridge.ts';
import { silentLogger } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { type Broker, startBroker } from '../../support/mosquitto.ts';
import { TestHouse } from '../../support/test-house.ts';
import { holds, startMachine } from '../../support/voice-machine.ts';
import { waitFor } from '../../support/wait.ts';

const state = 'sentryshot/monitor/door/state';
const device = 'homeassistant/device/site_door/config';

/** Machine a of a cluster has published the state of the door, and b could have. */
async function startCluster() {
  const broker = await startBroker();
  const [a, b] = [await startMachine('a', broker), await startMachine('b', broker)];
  a.site.hears({ a: 5, b: undefined });
  b.site.hears({ b: undefined, a: 5 });
  a.is('streaming');
  await holds(broker, state, 'streaming');
  await waitFor(async () => (await broker.retained()).has(device), 10_000, 'the device of the door');
  return { broker, a, b };
}

/** The machine is a recorder of its own from now on, and has no monitors. */
async function startAlone({ bus, recordFile }: Awaited<ReturnType<typeof startMachine>>, broker: Broker) {
  const options = { host: '127.0.0.1', port: broker.port, clientId: 'a', prefix: 'shed', recordFile };
  const bridge = await startMqttBridge(bus, options, silentLogger().source('mqtt'), new TestHouse([]));
  atEnd(() => bridge.close());
  await holds(broker, 'shed/available', 'online');
  return bridge;
}

test('a machine that has left a cluster clears nothing that others of it publish, also later', async () => {
  const { broker, a, b } = await startCluster();
  await a.bridge.close();
  b.site.hears({ b: 6 });
  b.is('streaming');
  await holds(broker, 'sentryshot/machine/a/available', 'offline');
  await holds(broker, state, 'streaming');
  const published = await broker.subscribe('#', { rap: true });
  const alone = await startAlone(a, broker);
  await alone.close();
  await b.bridge.close();
  await holds(broker, 'sentryshot/machine/b/available', 'offline');
  await startAlone(a, broker);
  expect((await broker.retained()).has(device)).toBe(true);
  expect(published.messages.filter(({ payload, retain }) => retain && payload === '')).toEqual([]);
});

test('the last machine of a cluster clears what is not wanted any more', async () => {
  const { broker, a, b } = await startCluster();
  await b.bridge.close();
  await a.bridge.close();
  await holds(broker, 'sentryshot/machine/b/available', 'offline');
  await startAlone(a, broker);
  await holds(broker, state, undefined);
  await holds(broker, device, undefined);
});
