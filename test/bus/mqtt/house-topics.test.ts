import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { startMqttBridge } from '../../../bus/mqtt/mqtt-bridge.ts';
import { streamEnds } from '../../../bus/nats/jetstream.ts';
import { events, objects, status } from '../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { type Message, startBroker } from '../../support/mosquitto.ts';
import { door, TestHouse } from '../../support/test-house.ts';
import { waitFor } from '../../support/wait.ts';

/** Each message in a line, by topic. Times differ from run to run. */
function written(messages: readonly Message[]): string {
  const lines = messages.map(({ topic, payload, qos, retain }) => {
    const content = payload
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/g, 'TIME')
      .replace(/_time":\d+(\.\d+)?/g, '_time":SECONDS');
    return `${topic} ${qos}${retain ? ' retained' : ''}: ${content === '' ? 'empty' : content}`;
  });
  const topicOf = (line: string) => line.slice(0, line.indexOf(' '));
  // Their order among those of their topic stays.
  const sorted = lines.sort((a, b) => (topicOf(a) < topicOf(b) ? -1 : topicOf(a) > topicOf(b) ? 1 : 0));
  return `${sorted.join('\n')}\n`;
}

test('the life of a monitor is these messages, byte for byte', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker({ connection: { protocolVersion: 5 } });
  const wire = await broker.subscribe('#', { rap: true });
  const comes = (path: string, payload: string) =>
    wire.message((message) => message.topic === path && message.payload === payload);
  const root = 'sentryshot/monitor/door';
  const house = new TestHouse([{ ...door, name: 'front_door', labels: ['person', 'dining table'] }]);
  const options = { host: '127.0.0.1', port: broker.port, clientId: 'home', hasFrigate: true };
  const log = silentLogger().source('mqtt');
  const bridge = await startMqttBridge(bus, { ...options, offDelayMs: 60_000 }, log, house);
  atEnd(() => bridge.close());
  await comes('sentryshot/available', 'online');
  await bridge.report();

  const since = nowUs();
  const streaming = { monitorID: 'door', state: 'streaming' as const, reason: '', recording: true, since };
  await bus.store(status, ['door'], streaming, 'status');
  await comes(`${root}/state`, 'recording');
  const motion = {
    ...{ id: 'event1', monitorID: 'door', monitorName: 'front_door', source: 'motion', time: nowUs() },
    detections: [{ label: 'zone0', score: 48.5 }],
  };
  await bus.store(events, ['door', 'motion'], motion, 'event1');
  await comes(`${root}/motion`, 'ON');
  await wire.message(({ topic }) => topic === 'sentryshot/events/motion');
  const person = {
    ...{ id: 'object1', monitorID: 'door', label: 'person', start: since, end: null },
    ...{ score: 61.5, eventID: 'event2' },
  };
  await bus.store(objects, ['door'], person, 'begin');
  await comes(`${root}/labels/person/count`, '1');
  await comes(`${root}/tflite`, 'ON');
  await comes(`${root}/snapshot`, 'jpeg of event2');
  await comes('frigate/front_door/person', '1');
  await bus.store(objects, ['door'], { ...person, end: nowUs() }, 'end');
  await wire.message(({ topic, payload }) => topic === 'frigate/events' && payload.includes('"end"'));
  await wire.message(
    ({ topic, payload }) =>
      topic === `${root}/tflite` && payload === 'OFF' && isAfter(`${root}/tflite`, 'ON'),
  );
  await broker.publish(`${root}/motion/set`, 'OFF');
  await comes(`${root}/motion/enabled`, 'OFF');
  house.set([]);
  await comes('homeassistant/device/home_door/config', '');
  await comes('frigate/front_door/person', '');
  await comes(`${root}/reason`, '');
  await bridge.close();
  await comes('sentryshot/available', 'offline');
  await expect(written(wire.messages)).toMatchFileSnapshot('house-topics.txt');

  function isAfter(topic: string, payload: string): boolean {
    const payloads = wire.messages.filter((message) => message.topic === topic).map((each) => each.payload);
    return payloads.lastIndexOf('OFF') > payloads.indexOf(payload);
  }
});

test('a monitor that streamed before the bridge was there is online, one of an earlier run is not', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker();
  const streaming = { state: 'streaming' as const, reason: '', recording: false, since: nowUs() };
  await bus.store(status, ['yard'], { ...streaming, monitorID: 'yard' }, 'yard');
  const since = await streamEnds(bus);
  await bus.store(status, ['door'], { ...streaming, monitorID: 'door' }, 'door');
  const house = new TestHouse([door, { ...door, id: 'yard' }], since);
  const options = { host: '127.0.0.1', port: broker.port, clientId: 'home' };
  const bridge = await startMqttBridge(bus, options, silentLogger().source('mqtt'), house);
  atEnd(() => bridge.close());
  const state = async (id: string) => (await broker.retained()).get(`sentryshot/monitor/${id}/state`);
  await waitFor(async () => (await state('door')) === 'streaming', 5000, 'the door to be online');
  // Read before the door's, and written at another time.
  expect(await waitFor(() => state('yard'), 5000, 'the state of the yard')).toBe('offline');
});
