import { expect, test } from 'vitest';
import { detectors } from '../../actors/detectors/host/detector-list.ts';
import {
  detectCommand,
  enabledDetectors,
  madeFrames,
  pipelineSession,
  recordSeconds,
} from '../../actors/settings.ts';
import type { Config } from '../../store/config/config.ts';
import { brightness } from '../support/brightness-detector.ts';
import { motion, testMonitor, tflite } from '../support/monitors.ts';

const all = [...detectors, brightness];
const config = { detectors: all.map(({ name }) => name) } as unknown as Config;
const light = { ...brightness.defaults, feedRate: 1, duration: 7 };

test('of detectors that look at frames of one format each gets its own rate, though more are made', () => {
  const monitor = testMonitor('door', { motion, tflite, brightness: light });
  const enabled = enabledDetectors(monitor, all, config);
  const [gray, rgb] = madeFrames(monitor, enabled);
  expect([gray, rgb]).toEqual([
    { format: 'gray', rate: 5, stream: 'main' },
    { format: 'rgb', rate: 5, stream: 'main' },
  ]);
  expect(detectCommand(monitor, 'brightness', enabled).frames).toEqual(gray);
  expect(detectCommand(monitor, 'tflite', enabled).frames).toEqual(rgb);
  const rate = (name: string) => detectCommand(monitor, name, enabled).maxFrameRate;
  expect(['motion', 'tflite', 'brightness'].map(rate)).toEqual([0, 0, 1]);
  // Every frame is more than any rate.
  const every = enabledDetectors({ ...monitor, brightness: { ...light, feedRate: 0 } } as never, all, config);
  expect(madeFrames(monitor, every)[0]?.rate).toBe(0);
  expect(detectCommand(monitor, 'motion', every).maxFrameRate).toBe(5);
});

test('objects are detected while there is motion only where motion is detected', () => {
  const whileMotion = (monitor: ReturnType<typeof testMonitor>, some = config) =>
    enabledDetectors(monitor, all, some).find(({ name }) => name === 'tflite')?.settings;
  expect(whileMotion(testMonitor('a', { motion, tflite }))).toMatchObject({ whileMotion: true });
  expect(whileMotion(testMonitor('a', { tflite }))).toMatchObject({ whileMotion: false });
  const without = { detectors: ['tflite'] } as unknown as Config;
  expect(whileMotion(testMonitor('a', { motion, tflite }), without)).toMatchObject({ whileMotion: false });
  const always = testMonitor('a', { motion, tflite: { ...tflite, whileMotion: false } });
  expect(whileMotion(always)).toMatchObject({ whileMotion: false });
});

test('a detector that is off, in the monitor or in the configuration, watches nothing', () => {
  const off = testMonitor('a', { motion: { ...motion, enable: false } });
  for (const [monitor, some] of [
    [off, config],
    [testMonitor('a', { motion, enable: false }), config],
    [testMonitor('a', { motion }), { detectors: [] } as unknown as Config],
    [testMonitor('a'), config],
  ] as const) {
    const enabled = enabledDetectors(monitor, all, some);
    expect(madeFrames(monitor, enabled)).toEqual([]);
    expect(detectCommand(monitor, 'motion', enabled).settings).toBeNull();
  }
});

test('a recording goes on for as long as the detector of the event says', () => {
  const monitor = testMonitor('door', { motion, brightness: light });
  expect(
    ['motion', 'brightness', 'tflite', 'nobody'].map((name) => recordSeconds(monitor, name, all)),
  ).toEqual([motion.duration, 7, 0, 0]);
  expect(recordSeconds(undefined, 'motion', all)).toBe(0);
});

test('recordings reach further back where events may come late because the decoder sleeps', async () => {
  const eventsLateMs = async (section: typeof motion & { sleep?: boolean }) => {
    const place = { recordingsDir: '/nowhere', bus: { servers: [] }, patienceMs: 10_000, detectors: all };
    const logs = { ...config, logs: { repeatLimit: 5 } } as unknown as Config;
    return (await pipelineSession(testMonitor('door', { motion: section }) as never, logs, place))
      .eventsLateMs;
  };
  expect(await eventsLateMs(motion)).toBe(2000);
  expect(await eventsLateMs({ ...motion, sleep: true })).toBe(8000);
  expect(await eventsLateMs({ ...motion, sleep: true, enable: false })).toBe(2000);
});

test('the sub stream is recorded if the monitor says so, and a camera is waited for as long as it says', async () => {
  const session = async (fields: object, patience?: number) => {
    const sourcertsp = { protocol: 'tcp', mainStream: 'rtsp://a/', subStream: 'rtsp://a/sub', patience };
    const monitor = { ...testMonitor('door'), source: 'rtsp', sourcertsp, ...fields } as never;
    const place = { recordingsDir: '/nowhere', bus: { servers: [] } };
    const logs = { ...config, logs: { repeatLimit: 5 } } as unknown as Config;
    const made = await pipelineSession(monitor, logs, { ...place, patienceMs: 10_000, detectors: all });
    return [made.recordSubStream, made.maxPatienceMs];
  };
  expect(await session({})).toEqual([false, 60_000]);
  expect(await session({ recordSubStream: true }, 2.5)).toEqual([true, 2500]);
});
