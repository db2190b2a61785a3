import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InferenceWorker } from '../../../../actors/detectors/objects/inference/inference-worker.ts';
import { ObjectDetectionResources } from '../../../../actors/detectors/objects/object-detection-resources.ts';
import { ObjectDetector } from '../../../../actors/detectors/objects/object-detector.ts';
import type { TfliteConfig } from '../../../../actors/detectors/objects/tflite-config.ts';
import { Logger } from '../../../../bus/logging/logger.ts';
import type { DetectedObject, DetectionEvent, LogEntry } from '../../../../bus/messages.ts';
import { Outbox } from '../../../../bus/nats/outbox.ts';
import { events, objects } from '../../../../bus/subjects.ts';
import { startTestBus } from '../../../support/bus.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { tflite } from '../../../support/monitors.ts';
import { picturesOf, type TestPicture } from '../../../support/pictures.ts';
import { ShownFrames } from '../../../support/shown-frames.ts';
import { waitFor } from '../../../support/wait.ts';

const beganUs = 1_732_112_595_000_000;
const street = { width: 640, height: 480, rate: 5 };

/** A detector with the real model, on a real bus. */
async function watch(settings: Partial<TfliteConfig> = {}) {
  const { bus, connect } = await startTestBus();
  const seen: DetectionEvent[] = [];
  const lives: DetectedObject[] = [];
  bus.subscribe(events, ['*', 'tflite'], (event) => void seen.push(event));
  bus.subscribe(objects, ['door'], (life) => void lives.push(life));
  const folder = await temporaryFolder();
  const entries: LogEntry[] = [];
  const log = new Logger((entry) => entries.push(entry)).source('tflite');
  const outbox = new Outbox(100, () => {});
  outbox.attach(bus);
  const [own, frames] = [await connect(), new ShownFrames()];
  const resources = new ObjectDetectionResources({
    configDir: folder,
    storageDir: folder,
    inferenceWorker: new InferenceWorker(),
    bus: own,
    outbox,
    log,
    onModelOpened: () => {},
  });
  atEnd(() => resources.close());
  // The model is there from the beginning.
  await resources.open('default');
  const names = { name: 'tflite', monitorID: 'door', monitorName: 'Door' };
  const environment = { ...names, maxFrameRate: 0, bus: own, openFrames: frames.open, outbox, log };
  const detector = new ObjectDetector(environment, { ...tflite, ...settings }, resources);
  atEnd(async () => detector.stop());

  let sequence = 0;
  const show = async ({ width, height, data, time }: TestPicture) => {
    const timeUs = beganUs + Math.round(time * 1e6);
    // A buffer, as decoders make them.
    void frames.show({ format: 'rgb', width, height, data: Buffer.from(data), sequence, timeUs });
    sequence += 1;
    // As a camera does: one after the other.
    await new Promise((resolve) => setTimeout(resolve, 200));
  };
  const move = () => {
    const detections = [{ label: 'zone0', score: 50 }];
    const event = {
      id: 'm',
      time: beganUs,
      detections,
      monitorID: 'door',
      monitorName: 'Door',
      source: 'motion',
    };
    bus.publish(events, ['door', 'motion'], event);
  };
  return { entries, seen, lives, frames, folder, detector, show, move };
}

test('people are reported once each, with their place, their life and a snapshot', async () => {
  const { entries, seen, lives, frames, folder, detector, show } = await watch({
    thresholds: { person: 45 },
  });
  await waitFor(() => frames.asked > 0, 5000, 'the wish for pictures');
  for await (const picture of picturesOf('vtest.avi', { ...street, length: 2 })) await show(picture);
  await waitFor(() => seen.length >= 2, 5000, 'events');
  const ids = seen.map(({ detections }) => detections[0]?.object);
  expect(new Set(ids).size).toBe(ids.length);
  for (const event of seen) {
    const { id, detections } = event;
    expect(event).toMatchObject({ monitorID: 'door', monitorName: 'Door', source: 'tflite' });
    expect(event.time).toBeGreaterThanOrEqual(beganUs);
    expect(event.time).toBeLessThan(beganUs + 2_000_000);
    const [{ label, score, box } = { label: '', score: 0 }] = detections;
    expect(label).toBe('person');
    expect(score).toBeGreaterThanOrEqual(45);
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(1_000_000);
    await waitFor(
      () =>
        readdir(join(folder, 'snapshots', id.slice(0, 8).replace(/(....)(..)/, '$1-$2-'))).then((files) =>
          files.includes(`${id}.jpeg`),
        ),
      5000,
      'a picture',
    );
  }
  expect(lives.every(({ end }) => end === null)).toBe(true);
  const born = lives.length;
  detector.stop();
  await waitFor(() => lives.length === 2 * born, 5000, 'the end of all lives');
  expect(new Set(lives.map(({ id }) => id)).size).toBe(born);
  const logged = (level: LogEntry['level'], pattern: RegExp) =>
    entries.filter((entry) => entry.level === level && entry.monitorID === 'door' && pattern.test(entry.msg))
      .length;
  expect(logged('debug', /^trigger: person, score \d+\.\d$/)).toBe(seen.length);
  expect(logged('info', /^appeared: person, score \d+\.\d$/)).toBe(born);
  expect(logged('info', /^gone: person, it was seen for \d\.\d s$/)).toBe(born);
});

test('where the mask is there is nobody, and a label without a threshold is of no interest', async () => {
  const area: [number, number][] = [
    [0, 0],
    [1_000_000, 0],
    [1_000_000, 1_000_000],
    [0, 1_000_000],
  ];
  const masked = await watch({ mask: { enable: true, area } });
  await waitFor(() => masked.frames.asked > 0, 5000, 'the wish for pictures');
  for await (const picture of picturesOf('vtest.avi', { ...street, length: 1 })) await masked.show(picture);
  expect(masked.seen).toEqual([]);
  const cars = await watch({ thresholds: { car: 40 } });
  await waitFor(() => cars.frames.asked > 0, 5000, 'the wish for pictures');
  for await (const picture of picturesOf('vtest.avi', { ...street, length: 1 })) await cars.show(picture);
  await waitFor(() => cars.seen.length > 0, 5000, 'the van');
  expect(cars.seen.flatMap(({ detections }) => detections.map(({ label }) => label))).not.toContain('person');
});

test('nobody is looked for, and no picture asked for, until there is motion', async () => {
  const { seen, frames, show, move } = await watch({ whileMotion: true });
  for await (const picture of picturesOf('vtest.avi', { ...street, length: 1 })) await show(picture);
  expect([seen, frames.asked]).toEqual([[], 0]);
  move();
  await waitFor(() => frames.asked > 0, 5000, 'the wish for pictures');
  for await (const picture of picturesOf('vtest.avi', { ...street, length: 2 })) {
    // It goes on: on a busy machine all of this takes longer than one event reaches.
    move();
    await show({ ...picture, time: picture.time + 2 });
  }
  await waitFor(() => seen.length > 0, 5000, 'people');
});
