import { expect, test } from 'vitest';
import { MotionDetector } from '../../../../actors/detectors/motion/motion-detector.ts';
import type { Frame } from '../../../../bus/frames.ts';
import type { DetectionEvent } from '../../../../bus/messages.ts';
import { Outbox } from '../../../../bus/nats/outbox.ts';
import { events } from '../../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../../support/bus.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { motion } from '../../../support/monitors.ts';
import { ShownFrames } from '../../../support/shown-frames.ts';
import { waitFor } from '../../../support/wait.ts';

const secondUs = 1_000_000;
const beganUs = 1_732_112_595_000_007;

/** The n-th frame of a camera, n seconds after the first: 64×36 of one gray. */
const frame = (n: number, gray: number): Frame => ({
  format: 'gray',
  width: 64,
  height: 36,
  sequence: n,
  timeUs: beganUs + n * secondUs,
  data: new Uint8Array(64 * 36).fill(gray),
});

async function watch({ maxFrameRate = 0 } = {}) {
  const { bus, connect } = await startTestBus();
  const seen: DetectionEvent[] = [];
  bus.subscribe(events, ['*', '*'], (event) => void seen.push(event));
  const outbox = new Outbox(100, () => {});
  outbox.attach(bus);
  const [own, frames] = [await connect(), new ShownFrames()];
  const log = silentLogger().source('motion');
  const names = { name: 'motion', monitorID: 'door', monitorName: 'Door' };
  const environment = { ...names, maxFrameRate, bus: own, openFrames: frames.open, outbox, log };
  const detector = new MotionDetector(environment, motion.zones);
  atEnd(async () => detector.stop());
  expect(frames.asked).toBe(1);
  return { seen, detector, show: (one: Frame) => frames.show(one) };
}

test('a change between two pictures is an event with the time at which the second was taken', async () => {
  const { seen, show } = await watch();
  await show(frame(0, 10));
  await show(frame(1, 10));
  await show(frame(2, 200));
  await waitFor(() => seen.length > 0, 5000, 'an event');
  expect(seen).toEqual([
    {
      id: expect.any(String),
      // Of a machine that was started some time ago.
      startedUs: expect.any(Number),
      monitorID: 'door',
      monitorName: 'Door',
      source: 'motion',
      time: beganUs + 2 * secondUs,
      detections: [{ label: 'zone0', score: 100 }],
    },
  ]);
});

test('the first picture of another connection is not compared with the last one of the old', async () => {
  const { seen, show } = await watch();
  await show(frame(7, 10));
  await show(frame(0, 200));
  await show({ ...frame(1, 10), width: 32, height: 72 });
  await show({ ...frame(2, 200), width: 32, height: 72 });
  await waitFor(() => seen.length > 0, 5000, 'an event');
  expect(seen.map(({ time }) => time)).toEqual([beganUs + 2 * secondUs]);
});

test('a detector that was stopped looks at nothing', async () => {
  const { seen, detector, show } = await watch();
  await show(frame(0, 10));
  detector.stop();
  await show(frame(1, 200));
  expect(seen).toEqual([]);
});

test('of frames that are made for another detector it looks at as many as its own rate allows', async () => {
  const { seen, show } = await watch({ maxFrameRate: 0.5 });
  // What changes is back the second after: the detector, which looks every other second, never sees it.
  for (let n = 0; n < 7; n += 1) {
    await show(frame(n, n % 2 === 1 ? 200 : 10));
  }
  await show(frame(8, 200));
  await waitFor(() => seen.length > 0, 5000, 'an event');
  expect(seen.map(({ time }) => time)).toEqual([beganUs + 8 * secondUs]);
});

test('zones that somebody draws are scored in the same frames, while they are asked for', async () => {
  const { detector, show } = await watch();
  const upper = {
    sensitivity: 8,
    area: [
      [0, 0],
      [1_000_000, 0],
      [1_000_000, 500_000],
      [0, 500_000],
    ],
  };
  const zones = [upper, { ...upper, area: [] }] as Parameters<typeof detector.watches.answer>[0];
  const scores = () => detector.watches.answer(zones).scores;
  expect(scores()).toEqual([]);
  const half = frame(1, 10);
  half.data.fill(200, 0, 64 * 9);
  await show(frame(0, 10));
  await show(half);
  await show({ ...half, sequence: 2 });
  // A quarter of the picture, half of the zone, changed and did not change again; the other zone has no pixels.
  expect(scores()).toEqual([
    { last: 0, peak: 50 },
    { last: 0, peak: 0 },
  ]);
  expect(scores()).toEqual([
    { last: 0, peak: 0 },
    { last: 0, peak: 0 },
  ]);
});
