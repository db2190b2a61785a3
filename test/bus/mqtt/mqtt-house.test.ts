import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import type { DetectedObject, DetectionEvent } from '../../../bus/messages.ts';
import { type MqttOptions, startMqttBridge } from '../../../bus/mqtt/mqtt-bridge.ts';
import { SiteVoice } from '../../../bus/mqtt/voice/site-voice.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { commands, events, objects, status } from '../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { startFakeBroker } from '../../support/fake-broker.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { discoveryFaults } from '../../support/home-assistant-rules.ts';
import { type Broker, startBroker } from '../../support/mosquitto.ts';
import { project } from '../../support/project.ts';
import { door, TestHouse } from '../../support/test-house.ts';
import { waitFor } from '../../support/wait.ts';

const recorder = { username: 'sentrybus', password: 'one' };
const homeAssistant = { username: 'homeassistant', password: 'two' };

/** The one of the README. */
function acl(): string {
  const readme = readFileSync(join(project, 'README.md'), 'utf8');
  return /```acl\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
}

const startStrictBroker = () =>
  startBroker({ login: recorder, others: [homeAssistant], acl: acl(), connection: homeAssistant });

async function startHouse(options: Partial<MqttOptions> = {}) {
  const { bus } = await startTestBus();
  const broker = await startStrictBroker();
  const house = new TestHouse([door]);
  const warnings: string[] = [];
  const log = { ...silentLogger().source('mqtt'), warning: (message: string) => void warnings.push(message) };
  const recordFile = join(await temporaryFolder(), 'topics.json');
  const start = async (more: Partial<MqttOptions> = {}) => {
    const bridge = await startMqttBridge(
      bus,
      {
        ...{ host: '127.0.0.1', port: broker.port, clientId: 'home.1', ...recorder, recordFile },
        ...{ ...options, ...more },
      },
      log,
      house,
    );
    atEnd(() => bridge.close());
    await holds(broker, 'sentryshot/available', 'online');
    return bridge;
  };
  const bridge = await start();
  return { bus, broker, house, warnings, bridge, start };
}

/** Waits until a topic holds this. */
const holds = (broker: Broker, topic: string, payload: string | undefined) =>
  waitFor(async () => (await broker.retained()).get(topic) === payload, 5000, `${topic} to be ${payload}`);

const object = (id: string, label: string, end: number | null = null): DetectedObject => ({
  ...{ id, monitorID: 'door', label, start: nowUs() - 1000, end, score: 61.5, eventID: `event-${id}` },
});

function event(detection: Partial<DetectionEvent['detections'][number]> = {}): DetectionEvent {
  const id = `event-${Math.random()}`;
  const common = { id, monitorID: 'door', monitorName: 'Front door', time: nowUs() };
  const source = detection.object === undefined ? 'motion' : 'tflite';
  return { ...common, source, detections: [{ label: 'zone0', score: 48.5, ...detection }] };
}

const store = (bus: Bus, seen: DetectionEvent) =>
  bus.store(events, [seen.monitorID, seen.source], seen, seen.id);

describe('commands', () => {
  test('enable and disable detectors; the result is the state, with the rights of the README alone', async () => {
    const { broker, house, warnings, bridge } = await startHouse();
    await broker.publish('sentryshot/monitor/door/motion/set', 'OFF');
    await holds(broker, 'sentryshot/monitor/door/motion/enabled', 'OFF');
    await broker.publish('sentryshot/monitor/door/tflite/set', 'OFF');
    await holds(broker, 'sentryshot/monitor/door/tflite/enabled', 'OFF');
    await broker.publish('sentryshot/monitor/door/motion/set', 'ON');
    await holds(broker, 'sentryshot/monitor/door/motion/enabled', 'ON');
    expect(house.changes).toEqual(['door motion false', 'door tflite false', 'door motion true']);
    expect(warnings).toEqual([]);
    expect((await bridge.report()).refused).toEqual([]);
  });

  test('that are wrong change nothing, and the state is published again', async () => {
    const { broker, house, warnings } = await startHouse();
    const state = await broker.subscribe('sentryshot/monitor/door/motion/enabled');
    await state.message(({ retain }) => retain);
    for (const [path, payload] of [
      ['door/motion/set', 'maybe'],
      ['nobody/motion/set', 'ON'],
      ['door/smell/set', 'ON'],
      ['door/record/set', '-1'],
      ['door/record/set', '1e9'],
      ['door/motion/enabled/set', 'OFF'],
    ] as const) {
      await broker.publish(`sentryshot/monitor/${path}`, payload);
    }
    await waitFor(() => warnings.length === 5, 5000, 'five warnings');
    await state.message(({ retain, payload }) => !retain && payload === 'ON');
    expect(house.changes).toEqual([]);
  });

  test('that are retained are ignored', async () => {
    const { broker, house, bridge, start } = await startHouse();
    await bridge.close();
    await broker.publish('sentryshot/monitor/door/motion/set', 'OFF', { retain: true });
    await start();
    await broker.publish('sentryshot/monitor/door/tflite/set', 'OFF');
    await holds(broker, 'sentryshot/monitor/door/tflite/enabled', 'OFF');
    expect(house.changes).toEqual(['door tflite false']);
  });

  test('are refused when they are switched off', async () => {
    const { broker, house, bridge } = await startHouse({ hasCommands: false });
    await broker.publish('sentryshot/monitor/door/motion/set', 'OFF');
    await bridge.close();
    expect(house.changes).toEqual([]);
    const { devices } = announced(await broker.retained());
    expect(Object.values(devices).flatMap((text) => text.match(/"switch"/g) ?? [])).toEqual([]);
  });

  test('record for so long, or until OFF', async () => {
    const { bus, broker } = await startHouse();
    const asked: number[] = [];
    bus.respond(commands.record, ['door'], ({ until }) => void asked.push(until));
    const begun = nowUs();
    await broker.publish('sentryshot/monitor/door/record/set', '600');
    await holds(broker, 'sentryshot/monitor/door/record', 'ON');
    await waitFor(() => asked.length > 2, 5000, 'the recording to be prolonged');
    await broker.publish('sentryshot/monitor/door/record/set', 'OFF');
    await holds(broker, 'sentryshot/monitor/door/record', 'OFF');
    // In short steps, so that it ends soon.
    expect(Math.max(...asked)).toBeLessThan(nowUs() + 5e6);
    expect(Math.max(...asked)).toBeGreaterThan(begun + 4e6);
    await broker.publish('sentryshot/monitor/door/record/set', '1');
    await holds(broker, 'sentryshot/monitor/door/record', 'ON');
    await holds(broker, 'sentryshot/monitor/door/record', 'OFF');
  });
});

/** What Home Assistant was told: by topic. */
function announced(retained: ReadonlyMap<string, string>) {
  const devices = Object.fromEntries([...retained].filter(([topic]) => topic.startsWith('homeassistant/')));
  const components = (topic: string) =>
    (JSON.parse(devices[topic] ?? '{}') as { components: Record<string, Record<string, unknown>> })
      .components;
  return { devices, components };
}

describe('Home Assistant', () => {
  const deviceTopic = 'homeassistant/device/home_1_door/config';

  test('is told of devices that keep its rules, with states that it takes, whatever the monitor does', async () => {
    const { bus, broker } = await startHouse({ offDelayMs: 60_000 });
    const check = async () => {
      const retained = await broker.retained();
      const { devices } = announced(retained);
      expect(Object.keys(devices).sort()).toEqual(['homeassistant/device/home_1/config', deviceTopic]);
      return Object.entries(devices).flatMap(([topic, text]) => discoveryFaults(topic, text, retained));
    };
    // Before the first event there is none to show.
    expect((await check()).filter((fault) => !fault.includes('nothing is retained on'))).toEqual([]);
    await store(bus, event());
    await bus.store(objects, ['door'], object('a', 'dining table'), 'a');
    const reason = `camera says: "no" ${'é'.repeat(300)}`;
    const waiting = {
      monitorID: 'door',
      state: 'waiting' as const,
      reason,
      recording: false,
      since: nowUs(),
    };
    await bus.store(status, ['door'], waiting, 'waiting');
    await holds(broker, 'sentryshot/monitor/door/labels/dining_table/present', 'ON');
    await holds(broker, 'sentryshot/monitor/door/reason', reason);
    await holds(broker, 'sentryshot/monitor/door/snapshot', 'jpeg of event-a');
    expect(await check()).toEqual([]);
    await bus.store(status, ['door'], { ...waiting, state: 'streaming', reason: '', recording: true }, 'on');
    await holds(broker, 'sentryshot/monitor/door/state', 'recording');
    expect(await check()).toEqual([]);
  });

  test('keeps the entities of a monitor that is renamed; those of a label that is not looked for, and of a deleted monitor, go', async () => {
    const { broker, house, bridge, start } = await startHouse();
    const before = announced(await broker.retained()).components(deviceTopic);
    house.set([{ ...door, name: 'Back door' }]);
    await waitFor(
      async () => (await broker.retained()).get(deviceTopic)?.includes('Back door'),
      5000,
      'the name',
    );
    expect(announced(await broker.retained()).components(deviceTopic)).toEqual(before);

    await bridge.close();
    house.set([{ ...door, labels: ['person'] }]);
    await start();
    const after = announced(await broker.retained()).components(deviceTopic);
    expect(after['count_dining_table']).toEqual({ platform: 'sensor' });
    expect(after['present_人']).toEqual({ platform: 'binary_sensor' });
    expect(after['present_person']).toEqual(before['present_person']);

    house.set([]);
    await holds(broker, deviceTopic, undefined);
    const left = [...(await broker.retained()).keys()].filter((topic) => topic.includes('door'));
    expect(left).toEqual([]);
  });

  test('is told again when it has started', async () => {
    const { broker } = await startHouse();
    const subscriber = await broker.subscribe('homeassistant/device/#');
    await subscriber.message(({ topic, retain }) => retain && topic === deviceTopic);
    await broker.publish('homeassistant/status', 'online');
    await subscriber.message(({ topic, retain }) => !retain && topic === deviceTopic);
    await subscriber.message(
      ({ topic, retain }) => !retain && topic === 'homeassistant/device/home_1/config',
    );
  });
});

test("Frigate's topics: the life of an object, and how many are in view", async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker();
  const house = new TestHouse([{ ...door, name: 'front_door' }]);
  const bridge = await startMqttBridge(
    bus,
    { host: '127.0.0.1', port: broker.port, clientId: 'one', hasFrigate: true },
    silentLogger().source('mqtt'),
    house,
  );
  atEnd(() => bridge.close());
  await holds(broker, 'frigate/front_door/person', '0');
  const subscriber = await broker.subscribe('frigate/#');
  await bus.store(objects, ['door'], object('a', 'person'), 'a');
  await holds(broker, 'frigate/front_door/person', '1');
  await store(bus, event({ label: 'person', object: 'a', score: 80 }));
  await subscriber.message(({ payload }) => payload.includes('"update"'));
  const end = nowUs();
  await bus.store(objects, ['door'], object('a', 'person', end), 'a end');
  await holds(broker, 'frigate/front_door/person', '0');
  const lives = subscriber.messages
    .filter(({ topic }) => topic === 'frigate/events')
    .map(({ payload }) => JSON.parse(payload) as { type: string; after: Record<string, unknown> });
  expect(lives.map(({ type }) => type)).toEqual(['new', 'update', 'end']);
  expect(lives[1]?.after).toMatchObject({ id: 'a', camera: 'front_door', label: 'person', top_score: 0.8 });
  expect(lives[2]?.after).toMatchObject({ end_time: end / 1e6 });
});

test('messages for Frigate that cannot wait any more are counted, and logged once', async () => {
  const { bus } = await startTestBus();
  const broker = await startFakeBroker();
  const house = new TestHouse([door]);
  const warnings: string[] = [];
  const log = { ...silentLogger().source('mqtt'), warning: (message: string) => void warnings.push(message) };
  const options = { host: '127.0.0.1', port: broker.port, clientId: 'one', hasFrigate: true };
  const bridge = await startMqttBridge(bus, options, log, house);
  atEnd(() => bridge.close());
  await waitFor(async () => (await bridge.report()).isConnected, 10_000, 'the broker');
  broker.setDown(true);
  const ids = Array.from({ length: 520 }, (_, n) => `object${n}`);
  for (const id of ids) await bus.store(objects, ['door'], object(id, 'person'), id);
  await waitFor(() => house.shown.length === ids.length, 10_000, 'all to be seen');
  broker.setDown(false);
  const dropped = () => warnings.filter((warning) => warning.includes('frigate/events'));
  await waitFor(() => dropped().length > 0, 20_000, 'the warning');
  expect(dropped()).toEqual([
    '20 messages on frigate/events were left out, because 500 waited for the broker',
  ]);
});

test('what others publish is left to them, and the monitors are not walked for each topic', async () => {
  const { bus } = await startTestBus();
  const broker = await startBroker();
  const monitors = Array.from({ length: 20 }, (_, n) => ({ ...door, id: `door${n}` }));
  const topics = monitors.flatMap(({ id }) =>
    Array.from({ length: 50 }, (_, n) => `sentryshot/monitor/${id}/labels/${n}/count`),
  );
  const [left = ''] = topics;
  const ofNobody = 'sentryshot/monitor/door/state';
  const device = 'homeassistant/device/home_door3/config';
  const cleared = [...topics, ofNobody, device];
  for (const topic of [left, ofNobody, device]) await broker.publish(topic, '1', { retain: true });
  const recordFile = join(await temporaryFolder(), 'topics.json');
  await writeFile(recordFile, JSON.stringify({ topics: [], cleared, components: {} }));
  const house = new TestHouse(monitors);
  let looks = 0;
  house.monitors = () => {
    looks += 1;
    return monitors;
  };
  // Nobody has heard anybody yet, so it speaks for none of them.
  const site = { machine: 'nvr1', heard: () => [], onHeard: () => () => {} };
  const voice = new SiteVoice({ site, monitors: () => monitors });
  const options = {
    host: '127.0.0.1',
    port: broker.port,
    clientId: 'home',
    installation: 'home',
    recordFile,
  };
  const bridge = await startMqttBridge(bus, { ...options, voice }, silentLogger().source('mqtt'), house);
  atEnd(() => bridge.close());
  await holds(broker, 'sentryshot/machine/nvr1/available', 'online');
  await holds(broker, ofNobody, undefined);
  const retained = await broker.retained();
  expect([left, device].map((topic) => retained.get(topic))).toEqual(['1', '1']);
  expect(looks).toBeLessThan(topics.length / 2);
});
