import { expect, test } from 'vitest';
import { LatestSlot } from '../../../../actors/detectors/latest-slot.ts';
import { MotionDetector } from '../../../../actors/detectors/motion/motion-detector.ts';
import type { Frame } from '../../../../bus/frames.ts';
import type { DetectionEvent, FramesCommand } from '../../../../bus/messages.ts';
import { Outbox } from '../../../../bus/nats/outbox.ts';
import { commands, events } from '../../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../../support/bus.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { motion } from '../../../support/monitors.ts';
import { waitFor } from '../../../support/wait.ts';

const secondUs = 1_000_000;
const beganUs = 1_732_112_595_000_007;

/** The n-th picture of a camera, n seconds after the first: 64×36 of one gray. */
const picture = (n: number, gray: number): Frame => ({
  format: 'gray',
  width: 64,
  height: 36,
  sequence: n,
  timeUs: beganUs + n * secondUs,
  data: new Uint8Array(64 * 36).fill(gray),
});

async function watch() {
  const { bus, connect } = await startTestBus();
  const seen: DetectionEvent[] = [];
  const asked: FramesCommand[] = [];
  bus.subscribe(events, ['*', '*'], (event) => void seen.push(event));
  bus.subscribe(commands.frames, ['door'], (command) => void asked.push(command));
  const outbox = new Outbox(100, () => {});
  outbox.attach(bus);
  const [own, frames] = [await connect(), await connect()];
  const log = silentLogger().source('motion');
  const environment = { monitorID: 'door', monitorName: 'Door', bus: own, frames, outbox, log };
  const detector = new MotionDetector(environment, motion);
  atEnd(async () => detector.stop());
  await waitFor(() => asked.length > 0, 5000, 'the wish for pictures');
  return { seen, asked, detector, show: (frame: Frame) => frames.publishFrame('door', frame) };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

test('a change between two pictures is an event with the time at which the second was taken', async () => {
  const { seen, asked, show } = await watch();
  expect(asked[0]).toEqual({ format: 'gray' });
  show(picture(0, 10));
  await pause();
  show(picture(1, 10));
  await pause();
  show(picture(2, 200));
  await waitFor(() => seen.length > 0, 5000, 'an event');
  expect(seen).toEqual([
    {
      id: expect.any(String),
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
  show(picture(7, 10));
  await pause();
  show(picture(0, 200));
  await pause();
  show({ ...picture(1, 10), width: 32, height: 72 });
  await pause();
  show({ ...picture(2, 200), width: 32, height: 72 });
  await waitFor(() => seen.length > 0, 5000, 'an event');
  expect(seen.map(({ time }) => time)).toEqual([beganUs + 2 * secondUs]);
});

test('a detector that was stopped looks at nothing', async () => {
  const { seen, detector, show } = await watch();
  show(picture(0, 10));
  await pause();
  detector.stop();
  show(picture(1, 200));
  await pause();
  expect(seen).toEqual([]);
});

test('a reader slower than its source sees the newest and skips the rest', async () => {
  const read: number[] = [];
  let release = () => {};
  const latest = new LatestSlot<number>(async (value) => {
    read.push(value);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  latest.put(1);
  await waitFor(() => read.length === 1, 1000, 'the first');
  for (const value of [2, 3, 4]) latest.put(value);
  release();
  await waitFor(() => read.length === 2, 1000, 'the newest');
  expect(read).toEqual([1, 4]);
  expect(latest.skipped).toBe(2);
});
