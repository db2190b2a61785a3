import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { tflite as definition } from '../../actors/detectors/objects/tflite-definition.ts';
import type { DetectedObject } from '../../bus/messages.ts';
import { events, objects } from '../../bus/subjects.ts';
import { peopleOnTheStreet } from '../actors/detectors/objects/street.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera } from '../support/camera.ts';
import { clipClock } from '../support/clip-clock.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** Seconds. */
const clipLength = 79.5;
const samples = 5;

test('people on a street are followed from the camera to the bus, from one end of the street to the other', async () => {
  const making = clipClock('vtest.avi');
  const { server, bus, connect } = await startTestBus();
  const { servers, token } = server.address;
  const lives = new Map<string, DetectedObject>();
  bus.subscribe(objects, ['*'], (life) => void lives.set(life.id, life));
  const seen: string[] = [];
  bus.subscribe(events, ['*', 'tflite'], ({ detections }) => {
    for (const { object } of detections) if (object !== undefined) seen.push(object);
  });
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  await startRecorder({
    config: {
      plugin: ['auth_basic', 'motion', 'tflite'].map((name) => ({ name, enable: true })),
      bus: { servers, token },
    },
    monitors: [
      rtspMonitor('always', [camera.url('main')], { tflite: definition.defaults }),
      rtspMonitor('moving', [camera.url('main')], {
        tflite: { ...definition.defaults, feedRate: 5 },
        motion,
      }),
    ],
  });

  const clock = await making;
  // When the clip began, in seconds: the picture tells where in the clip it is, its header when it was taken.
  const begins: number[] = [];
  const forget = (await connect()).subscribeFrames('always', 'rgb', (frame) => {
    if (begins.length < samples) begins.push(frame.timeUs / 1e6 - clock(frame));
  });
  await waitFor(() => begins.length >= samples, 30_000, 'pictures');
  forget();
  const begin = begins.sort((a, b) => a - b)[samples >> 1] ?? 0;
  const monitors = ['always', 'moving'];
  const people = (monitorID: string) =>
    [...lives.values()].filter((life) => life.monitorID === monitorID && life.label === 'person');
  await waitFor(() => monitors.every((id) => people(id).length > 0), 30_000, 'the first people');
  const from = Date.now() / 1000;
  const to = from + clipLength;
  // All of the clip once, as it is played; who appears at its very end is told of when he was seen twice.
  await sleep((clipLength + 3) * 1000);

  for (const monitorID of monitors) {
    const spans = people(monitorID).map(({ start, end }) => ({
      start: start / 1e6,
      end: end === null ? Number.POSITIVE_INFINITY : end / 1e6,
    }));
    let [covered, followed, tooMany] = [0, 0, 0];
    for (const [second, counted] of peopleOnTheStreet.entries()) {
      const first = begin + second;
      const time = first + Math.ceil((from - first) / clipLength) * clipLength;
      const there = spans.filter(({ start, end }) => start <= time && time <= end).length;
      if (there > 0) covered += 1;
      followed += Math.min(there, counted);
      tooMany += Math.max(0, there - counted);
    }
    const counted = peopleOnTheStreet.reduce((sum, count) => sum + count);
    const born = spans.filter(({ start }) => start >= from && start < to).length;
    expect(covered / peopleOnTheStreet.length).toBeGreaterThanOrEqual(0.95);
    expect(followed / counted).toBeGreaterThanOrEqual(0.8);
    // Who has gone is gone: already one object that never ends is more than this.
    expect(tooMany / counted).toBeLessThan(0.12);
    // About forty people walk by; where the clip begins again nobody is where he was.
    expect(born).toBeLessThan(70);
  }
  // Each object was told of by an event first.
  expect([...lives.keys()].filter((id) => !seen.includes(id))).toEqual([]);
}, 180_000);
