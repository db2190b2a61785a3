import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry, MqttEvent } from '../../bus/messages.ts';
import { loadConfig } from '../../store/config/config.ts';
import { brightness } from '../support/brightness-detector.ts';
import { buildWithDetector } from '../support/build-with-detector.ts';
import { temporaryFolder } from '../support/folder.ts';
import { motion, testMonitor } from '../support/monitors.ts';
import { startBroker } from '../support/mosquitto.ts';
import { startRecorder } from '../support/recorder.ts';
import { probe, recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

test('a detector is one file and one line: configuration, API, documents, MQTT, log and recordings follow', async () => {
  const broker = await startBroker();
  const told = await broker.subscribe('sentryshot/events/#');
  const recorder = await startRecorder({
    build: await buildWithDetector('test/support/brightness-detector.ts', 'brightness'),
    config: {
      plugin: [
        ...['auth_basic', 'motion', 'brightness'].map((name) => ({ name, enable: true })),
        { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
      ],
    },
    // Both look at gray frames, at rates of their own; motion is never strong enough for an event.
    monitors: [
      testMonitor('door', {
        motion: { ...motion, zones: motion.zones.map((z) => ({ ...z, thresholdMin: 99 })) },
      }),
    ],
  });

  const openapi = await recorder.get<OpenApi>('/api/openapi.json');
  expect(Object.keys(openapi.paths)).toContain('/api/monitor/{id}/brightness/enable');
  expect(openapi.components.schemas.Monitor.anyOf[0]?.properties['brightness']).toMatchObject({
    properties: { minBrightness: { maximum: 100 } },
  });
  const asyncapi = await recorder.get<AsyncApi>('/api/asyncapi.json');
  expect(asyncapi.channels.events.parameters.source.enum).toContain('brightness');

  const wrong = testMonitor('other', { brightness: { ...brightness.defaults, minBrightness: 101 } });
  await expect(recorder.change('PUT', '/api/monitor', wrong)).rejects.toThrow('"/brightness/minBrightness"');

  // There is no such section yet: it is made with the defaults.
  await recorder.change('PATCH', '/api/monitor/door/brightness/enable');
  const stored = async () =>
    (await recorder.get<Record<string, { brightness?: unknown }>>('/api/monitors'))['door'];
  expect((await stored())?.brightness).toEqual(brightness.defaults);

  const { topic, payload } = await told.message(() => true, 30_000);
  expect(topic).toBe('sentryshot/events/brightness');
  const event = JSON.parse(payload) as MqttEvent;
  expect(event).toMatchObject({
    monitorID: 'door',
    monitorName: 'door',
    label: 'light',
    source: 'brightness',
  });
  expect(event.score).toBeGreaterThan(0);
  const entries = await recorder.get<LogEntry[]>('/api/log/query?sources=brightness');
  expect(entries.map(({ msg, monitorID }) => [msg, monitorID])).toContainEqual(['watching', 'door']);

  // It is always bright enough, so the recording ends when the detector is off and the last event's time is over.
  const feed = await recorder.feed('/api/logs?monitors=door&sources=recorder');
  const [recording = ''] = await waitFor(
    async () => {
      const found = await recordingsIn(recorder.recordings);
      return found.length > 0 && found;
    },
    20_000,
    'a recording',
  );
  const events = () => told.messages.map((one) => Date.parse((JSON.parse(one.payload) as MqttEvent).time));
  await waitFor(() => events().length >= 6, 20_000, 'six events');
  const [begin = 0, ...later] = events();
  // Two a second, though motion has five made.
  expect((later[4] ?? 0) - begin).toBeGreaterThan(2000);

  const text = {
    ...(await stored()),
    brightness: { ...brightness.defaults, duration: 1, minBrightness: 100 },
  };
  await recorder.change('PUT', '/api/monitor', text);
  await feed.frame<LogEntry>(({ msg }) => msg.startsWith('recording saved: '), 20_000);
  expect((await probe(recording)).complaints).toBe('');
  expect(told.messages.every((one) => one.topic === 'sentryshot/events/brightness')).toBe(true);

  await recorder.change('PATCH', '/api/monitor/door/brightness/disable');
  expect((await stored())?.brightness).toMatchObject({ enable: false, duration: 1 });
});

test('the configuration that is written at the first start names every detector', async () => {
  const file = join(await temporaryFolder(), 'sentryshot.toml');
  const { config } = await loadConfig(file, { create: true, detectors: [brightness] });
  expect(config.detectors).toEqual(['brightness']);
});

interface OpenApi {
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: {
    readonly schemas: {
      readonly Monitor: {
        readonly anyOf: readonly { readonly properties: Readonly<Record<string, unknown>> }[];
      };
    };
  };
}

interface AsyncApi {
  readonly channels: {
    readonly events: { readonly parameters: { readonly source: { readonly enum: readonly string[] } } };
  };
}
