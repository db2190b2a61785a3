import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tflite as definition } from '../../actors/detectors/objects/tflite-definition.ts';
import type { DetectedObject, LogEntry, MqttEvent } from '../../bus/messages.ts';
import { objects } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { type Camera, startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor, tflite } from '../support/monitors.ts';
import { type Broker, startBroker } from '../support/mosquitto.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

const plugins = (broker: Broker) => [
  { name: 'auth_basic', enable: true },
  { name: 'motion', enable: true },
  { name: 'tflite', enable: true },
  { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
];

const events = (payloads: readonly string[]) => payloads.map((text) => JSON.parse(text) as MqttEvent);

test('a person who walks into a quiet street is reported within two seconds, recorded, and shown', async () => {
  const broker = await startBroker();
  const told = await broker.subscribe('sentryshot/events/tflite');
  const moved = await broker.subscribe('sentryshot/events/motion');
  // Twelve seconds of a still street with people in it, then they walk.
  const camera = await startCamera({ mounts: { main: { file: clip('vtest-quiet.mp4') } } });
  const recorder = await startRecorder({
    config: { plugin: plugins(broker) },
    monitors: [
      rtspMonitor('street', [camera.url('main')], { name: 'Street', tflite: definition.defaults, motion }),
    ],
  });
  const first = JSON.parse((await moved.message(() => true, 30_000)).payload) as MqttEvent;
  // The message itself, however many other things the machine does.
  const { payload } = await told.message(({ payload: text }) => /"person"/.test(text), 4000);
  const event = JSON.parse(payload) as MqttEvent;
  expect(Object.keys(event)).toEqual(['monitorID', 'monitorName', 'label', 'score', 'time', 'source']);
  expect(event).toMatchObject({
    monitorID: 'street',
    monitorName: 'Street',
    label: 'person',
    source: 'tflite',
  });
  expect(event.score).toBeGreaterThanOrEqual(45);
  expect(event.score).toBeLessThan(100);
  expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  // Nothing was looked at before there was motion, and then at once.
  expect(Date.parse(event.time) - Date.parse(first.time)).toBeGreaterThan(0);
  expect(Date.parse(event.time) - Date.parse(first.time)).toBeLessThan(2000);

  await waitFor(async () => (await recordingsIn(recorder.recordings)).length > 0, 5000, 'a recording');
  const id = await waitFor(() => snapshotIDs(recorder).then(([one]) => one), 10_000, 'a picture');
  const response = await recorder.fetch(`/api/event/${id}/snapshot.jpeg`);
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  const picture = Buffer.from(await response.arrayBuffer());
  expect(picture.subarray(0, 2).toString('hex')).toBe('ffd8');
  expect(picture.length).toBeGreaterThan(10_000);
});

test('wind in a tree is nobody', async () => {
  const broker = await startBroker();
  const told = await broker.subscribe('sentryshot/events/#');
  const camera = await startCamera({ mounts: { main: { file: clip('tree.mp4') } } });
  await startRecorder({
    config: { plugin: plugins(broker) },
    monitors: [rtspMonitor('tree', [camera.url('main')], { tflite, motion })],
  });
  await waitFor(() => told.messages.length >= 60, 60_000, 'motion in the tree');
  expect(events(told.messages.map((one) => one.payload)).filter(({ source }) => source !== 'motion')).toEqual(
    [],
  );
});

describe('with one camera', () => {
  let broker: Broker;
  let camera: Camera;
  beforeAll(async () => {
    broker = await startBroker();
    camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  });
  afterAll(async () => {
    await camera.stop();
    await broker.stop();
  });

  test('a detector host that is killed in the middle of its work is back at once, and nobody else notices', async () => {
    const told = await broker.subscribe('sentryshot/events/tflite');
    const { server, bus } = await startTestBus();
    const { servers, token } = server.address;
    const lives: DetectedObject[] = [];
    bus.subscribe(objects, ['street'], (life) => void lives.push(life));
    const recorder = await startRecorder({
      config: { plugin: plugins(broker), bus: { servers, token } },
      monitors: [
        rtspMonitor('street', [camera.url('main')], { tflite: { ...tflite, feedRate: 10 } }),
        rtspMonitor('other', [camera.url('main')], { alwaysRecord: true }),
      ],
    });
    await told.message(({ payload }) => /"street"/.test(payload), 30_000);
    const feed = await recorder.feed('/api/logs');
    const [before = 0] = recorder.children(/detectors\/host/);
    const pipelines = recorder.children(/pipelines\/host/);
    const ended = (id: string) => lives.some((life) => life.id === id && life.end !== null);
    const left = await waitFor(
      () => {
        const open = lives.map(({ id }) => id).filter((id) => !ended(id));
        return open.length > 0 && open;
      },
      5000,
      'somebody who is there',
    );
    const killed = Date.now();
    process.kill(before, 'SIGKILL');
    const back = await feed.frame<LogEntry>(
      ({ msg, src }) => src === 'tflite' && /runs on/.test(msg),
      10_000,
    );
    // Less than one where the machine is idle; how many other things it does is not ours.
    expect(back.time / 1000 - killed).toBeLessThan(3000);
    await waitFor(() => left.every(ended), 5000, 'the end of those whom the killed one followed');
    const watching = await waitFor(
      async () => {
        const list = await recorder.get<object[]>('/api/health/detectors');
        return list.length > 0 && list;
      },
      5000,
      'a report',
    );
    expect(watching).toEqual([
      {
        monitorID: 'street',
        detector: 'tflite',
        model: 'default',
        engine: expect.stringMatching(/^(ONNX Runtime|TensorFlow Lite) /),
        skipped: expect.any(Number),
      },
    ]);
    const known = told.messages.length;
    await waitFor(() => told.messages.length > known, 10_000, 'people again');
    expect(recorder.children(/pipelines\/host/)).toEqual(pipelines);
  });

  test('models that cannot be used are reported once each, and motion and recording go on', async () => {
    const moved = await broker.subscribe('sentryshot/events/motion');
    const recorder = await startRecorder({ config: { plugin: plugins(broker) } });
    const configs = join(recorder.folder, 'configs');
    const model = (name: string) => join(configs, `${name}.tflite`);
    await writeFile(model('wrong'), 'this is no model');
    await writeFile(
      model('truncated'),
      Buffer.concat([Buffer.from([28, 0, 0, 0]), Buffer.from('TFL3'), Buffer.alloc(40)]),
    );
    await writeFile(model('checksum'), 'whatever');
    // It knows how a chair stands in a picture that shows one, not where things are.
    const folder = dirname(createRequire(import.meta.url).resolve('@mediapipe/objectron/package.json'));
    await copyFile(join(folder, 'object_detection_3d_chair.tflite'), model('shape'));
    await writeFile(join(configs, 'labels.txt'), 'person\n');
    const entry = (name: string, rest = '') =>
      `[[detector_cpu]]\nenable = true\nname = "${name}"\nwidth = 300\nheight = 300\nmodel = "${model(name)}"\nlabel_map = "${join(configs, 'labels.txt')}"\n${rest}`;
    await writeFile(
      join(configs, 'tflite.toml'),
      [
        entry('wrong'),
        entry('truncated'),
        entry('shape'),
        entry('checksum', `sha256sum = "${'0'.repeat(64)}"\n`),
      ].join('\n'),
    );
    const feed = await recorder.feed('/api/logs?sources=tflite');
    const complaints = {
      wrong: /^wrong: this is not a TensorFlow Lite model$/,
      truncated: /^truncated: the model is truncated or damaged$/,
      shape: /^shape: outputs of the shape \[1,18\] \[1,1\] are not those of a known detector$/,
      checksum: /^checksum: the checksum of the model is [0-9a-f]{64}, expected 0{64}$/,
      nosuch: /^nosuch: unknown detector; available: default, wrong, truncated, shape, checksum$/,
    };
    for (const [name, complaint] of Object.entries(complaints)) {
      await recorder.change(
        'PUT',
        '/api/monitor',
        rtspMonitor('street', [camera.url('main')], { motion, tflite: { ...tflite, detectorName: name } }),
      );
      await feed.frame<LogEntry>(({ level, msg }) => level === 'error' && complaint.test(msg), 10_000);
    }
    expect(feed.frames.filter((text) => (JSON.parse(text) as LogEntry).level === 'error')).toHaveLength(5);
    await moved.message(() => true, 20_000);
    await waitFor(async () => (await recordingsIn(recorder.recordings)).length > 0, 10_000, 'a recording');
  });
});

/** The ids of the events that have a picture. */
async function snapshotIDs(recorder: Recorder): Promise<string[]> {
  const files = await readdir(join(recorder.folder, 'storage', 'snapshots'), { recursive: true });
  return files.filter((file) => file.endsWith('.jpeg')).map((file) => file.replace(/^.*\/|\.jpeg$/g, ''));
}
