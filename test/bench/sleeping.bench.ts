import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'vitest';
import { MotionZones } from '../../actors/detectors/motion/motion-zones.ts';
import { SleepRule } from '../../pipelines/frames/sleep/sleep-rule.ts';
import { startCamera } from '../support/camera.ts';
import { makeClips } from '../support/clips.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { commandLine, descendants, ownCpuSeconds } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { type SleepScene, sceneFramesPerSecond, sleepClip } from '../support/sleep-clips.ts';

/**
 * What is found while decoders sleep as `SleepRule` says, against decoding every picture: synthetic scenes of a street, 5 frames
 * a second, the smallest motion 0.3 % of the picture. Sizes and pictures are those of the encoded clips.
 */

const seconds = Number(process.env['SECONDS'] ?? 240);
const warmUpMs = Number(process.env['WARM_UP'] ?? 60) * 1000;
const measuredMs = 30_000;
const [width, height, rate] = [320, 180, 5];
const capped = (bits: string) => ['-crf', '25', '-maxrate', bits, '-bufsize', bits];
const constant = (bits: string) => ['-b:v', bits, '-minrate', bits, '-maxrate', bits, '-bufsize', bits];
const small = { width: 640, height: 360, group: 30, isQuiet: false, seconds } as const;
const large = { ...small, width: 1920, height: 1080 } as const;
const scenes: readonly SleepScene[] = [
  { ...small, name: '640 noise 4, crf', noise: 4, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 4, crf, 4 s', noise: 4, group: 60, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 4, capped', noise: 4, rate: capped('700k') },
  { ...small, name: '640 noise 4, CBR', noise: 4, rate: constant('700k') },
  { ...small, name: '640 noise 8, crf', noise: 8, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 20, capped', noise: 20, rate: capped('700k') },
  { ...small, name: '640 noise 4, crf, quiet', noise: 4, isQuiet: true, rate: ['-crf', '25'] },
  { ...large, name: '1080 noise 4, capped', noise: 4, seconds: seconds / 2, rate: capped('3M') },
  {
    ...large,
    name: '1080 noise 4, quiet',
    noise: 4,
    seconds: seconds / 2,
    isQuiet: true,
    rate: capped('3M'),
  },
];

const zone = {
  ...{ enable: true, sensitivity: 8, thresholdMin: 0.3, thresholdMax: 10 },
  area: [
    [0, 0],
    [1_000_000, 0],
    [1_000_000, 1_000_000],
    [0, 1_000_000],
  ] as [number, number][],
};

interface Picture {
  readonly keyFrame: boolean;
  readonly bytes: number;
}

function sizesOf(file: string): Picture[] {
  const text = execFileSync(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=size,flags', '-of', 'csv=p=0', file],
    { encoding: 'utf8', maxBuffer: 1e8 },
  );
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [bytes, flags = ''] = line.split(',');
      return { bytes: Number(bytes), keyFrame: flags.startsWith('K') };
    });
}

/** The pictures, by their numbers, that motion is found in where every one is decoded. */
function motionIn(file: string): Set<number> {
  const every = sceneFramesPerSecond / rate;
  const select = `select=not(mod(n\\,${every})),scale=${width}:${height},format=gray`;
  const raw = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-vf', select, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'],
    { maxBuffer: 2e9 },
  );
  const zones = new MotionZones([zone], width, height);
  const size = width * height;
  const moving = new Set<number>();
  for (let frame = 1; (frame + 1) * size <= raw.length; frame += 1) {
    const [before, now] = [frame - 1, frame].map((n) => raw.subarray(n * size, (n + 1) * size));
    if (before && now && zones.compare(before, now).length > 0) moving.add(frame * every);
  }
  return moving;
}

/** From the first to the last picture: motion with gaps of at most 0.6 s, half a second long or longer. */
function eventsOf(moving: ReadonlySet<number>): [first: number, last: number][] {
  const events: [number, number][] = [];
  for (const picture of moving) {
    const last = events.at(-1);
    if (last && picture - last[1] <= 0.6 * sceneFramesPerSecond) last[1] = picture;
    else events.push([picture, picture]);
  }
  return events.filter(([first, last]) => last - first >= 0.5 * sceneFramesPerSecond);
}

/** Decodes as the rule says: asleep nothing but key frames, and after waking the group from its beginning. */
function sleepThrough(pictures: readonly Picture[], moving: ReadonlySet<number>, size: SleepScene) {
  const rule = new SleepRule(zone.thresholdMin / 100);
  const seen = new Set<number>();
  let [key, keyBefore, asleep, decoded] = [0, 0, 0, 0];
  for (const [index, picture] of pictures.entries()) {
    const wasAsleep = rule.isAsleep;
    if (picture.keyFrame) [keyBefore, key] = [key, index];
    rule.push({
      ...picture,
      timeUs: (index * 1e6) / sceneFramesPerSecond,
      width: size.width,
      height: size.height,
    });
    // What key frames have found was in the group before, which is decoded then.
    if (wasAsleep && !rule.isAsleep) {
      const from = picture.keyFrame ? keyBefore : key;
      for (let n = from; n <= index; n += 1) if (moving.has(n)) seen.add(n);
      decoded += index - from;
    }
    if (!rule.isAsleep) seen.add(index);
    if (rule.isAsleep) asleep += 1;
    if (!rule.isAsleep || picture.keyFrame) decoded += 1;
    if (moving.has(index)) rule.noteMotion((index * 1e6) / sceneFramesPerSecond);
  }
  return { seen, counts: rule.counts, asleep: asleep / pictures.length, decoded: decoded / pictures.length };
}

test('what is found', async () => {
  await makeClips(['vtest.avi']);
  console.log('  scene | gate | events found | with their first picture | asleep | wakes | missed | decoded');
  for (const scene of scenes) {
    const file = await sleepClip(scene);
    const moving = motionIn(file);
    const events = eventsOf(moving);
    const { seen, counts, asleep, decoded } = sleepThrough(sizesOf(file), moving, scene);
    const isSeen = ([first, last]: [number, number]) =>
      [...moving].some((n) => n >= first && n <= last && seen.has(n));
    const found = events.filter(isSeen).length;
    const whole = events.filter(([first]) => seen.has(first)).length;
    const gate = counts.isOpen ? 'open' : 'shut';
    const shares = [asleep, decoded].map((share) => share.toFixed(2));
    console.log(
      `  ${scene.name} | ${gate} | ${found}/${events.length} | ${whole} | ${shares[0]} | ${counts.wakes} | ${counts.missed} | ${shares[1]}`,
    );
  }
});

test('what it costs', async () => {
  const scene = scenes.at(-1);
  if (!scene) throw new Error('no scene');
  const camera = await startCamera({ mounts: { main: { file: await sleepClip(scene) } } });
  const recorders = await Promise.all(
    [false, true].map(async (sleep) => {
      const settings = { enable: true, feedRate: rate, duration: 10, zones: [zone], sleep };
      const monitor = rtspMonitor('quiet', [camera.url('main')], { alwaysRecord: true, motion: settings });
      return { sleep, recorder: await startRecorder({ monitors: [monitor] }) };
    }),
  );
  await pause(warmUpMs);
  const cpu = recorders.map(({ recorder }) => [recorder.pid, ...descendants(recorder.pid)]);
  const before = cpu.map((pids) => pids.map(ownCpuSeconds));
  await pause(measuredMs);
  const costs = cpu.map((pids, index) =>
    pids.map((pid, n) => ({
      command: commandLine(pid),
      percent: ((ownCpuSeconds(pid) - (before[index]?.[n] ?? 0)) / measuredMs) * 100_000,
    })),
  );
  const sums = costs.map((each) => each.reduce((sum, { percent }) => sum + percent, 0));
  const of = (index: number, pattern: RegExp) =>
    costs[index]?.find(({ command }) => pattern.test(command))?.percent.toFixed(1);
  console.log(`  1080p, nothing moves, percent of a core; load ${loadavg()[0]?.toFixed(1)}`);
  for (const [index, name] of ['awake', 'asleep'].entries()) {
    const ratio = ((sums[index] ?? 0) / (sums[0] ?? 1)).toFixed(2);
    console.log(
      `  ${name}: ${sums[index]?.toFixed(1)} (${ratio}), of which pipelines ${of(index, /pipeline/)}, detectors ${of(index, /detector/)}, nats-server ${of(index, /nats-server/)}`,
    );
  }
});
