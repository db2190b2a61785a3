import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { MotionZones } from '../../actors/detectors/motion/motion-zones.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { events } from '../../bus/subjects.ts';
import { startCamera } from '../support/camera.ts';
import { makeClips } from '../support/clips.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { decoded } from '../support/numbered-decoder.ts';
import { commandLine, descendants, ownCpuSeconds } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { type SleepScene, sceneFramesPerSecond, sleepClip } from '../support/sleep-clips.ts';
import { WatchedCamera } from '../support/watched-camera.ts';

/**
 * What is found while decoders sleep, against decoding every picture: synthetic scenes of a street, 5 frames a second, the
 * smallest motion 0.3 % of the picture. Sizes and pictures are those of the encoded clips, and go the product's way from the
 * recording process to the detector, without GStreamer.
 */

vi.mock('../../pipelines/gstreamer/gstreamer.ts', () => import('../support/numbered-decoder.ts'));
// Turns take real time; these clips come faster.
vi.mock('../../pipelines/frames/sleep/catch-up.ts', () => ({
  catchUp: (begin: () => void) => Promise.resolve(begin()),
}));

const seconds = Number(process.env['SECONDS'] ?? 240);
const warmUpMs = Number(process.env['WARM_UP'] ?? 60) * 1000;
const measuredMs = 30_000;
const [width, height, rate] = [320, 180, 5];
const zeroLatency =
  '-c:v libx264 -preset veryfast -tune zerolatency -profile:v baseline -threads 2 -sc_threshold 0 -bf 0'.split(
    ' ',
  );
const capped = (bits: string) => ['-crf', '25', '-maxrate', bits, '-bufsize', bits];
const constant = (bits: string) => ['-b:v', bits, '-minrate', bits, '-maxrate', bits, '-bufsize', bits];
const small = { width: 640, height: 360, group: 30, isQuiet: false, seconds } as const;
const large = { ...small, width: 1920, height: 1080 } as const;
const night = { contrast: 0.35 } as const;
const heldOut = { isHeldOut: true } as const;
const scenes: readonly SleepScene[] = [
  { ...small, name: '640 noise 4, crf', noise: 4, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 4, crf, 4 s', noise: 4, group: 60, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 4, capped', noise: 4, rate: capped('700k') },
  { ...small, name: '640 noise 4, CBR', noise: 4, rate: constant('700k') },
  { ...small, name: '640 noise 8, crf', noise: 8, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 20, capped', noise: 20, rate: capped('700k') },
  { ...small, name: '640 noise 6, crf', noise: 6, rate: ['-crf', '25'] },
  { ...small, name: '640 noise 4, CBR, 4 s', noise: 4, group: 60, rate: constant('700k') },
  { ...small, name: '640 noise 4, zerolatency', noise: 4, rate: ['-crf', '25'], encoder: zeroLatency },
  { ...small, ...night, name: '640 night, noise 12, crf', noise: 12, rate: ['-crf', '25'] },
  { ...small, ...night, name: '640 night, noise 12, CBR', noise: 12, rate: constant('700k') },
  { ...small, ...heldOut, name: '640 held out, crf', noise: 4, rate: ['-crf', '25'] },
  { ...small, ...heldOut, name: '640 held out, crf, 4 s', noise: 4, group: 60, rate: ['-crf', '25'] },
  { ...small, ...heldOut, name: '640 held out, capped', noise: 4, rate: capped('700k') },
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

/** What frames of a clip show, by the numbers of their pictures. */
interface Footage {
  /** Whether motion shows between two of them. */
  readonly moves: (before: number, now: number) => boolean;
  /** Those that motion is found in where every picture is decoded. */
  readonly moving: ReadonlySet<number>;
}

function footageOf(file: string): Footage {
  const every = sceneFramesPerSecond / rate;
  const select = `select=not(mod(n\\,${every})),scale=${width}:${height},format=gray`;
  const raw = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-vf', select, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'],
    { maxBuffer: 2e9 },
  );
  const zones = new MotionZones([zone], width, height);
  const size = width * height;
  const imageOf = (number: number) => {
    if (number % every !== 0) throw new Error(`no frame is made of picture ${number}`);
    return raw.subarray((number / every) * size, (number / every + 1) * size);
  };
  const moves = (before: number, now: number) => zones.compare(imageOf(before), imageOf(now)).length > 0;
  const count = Math.floor(raw.length / size);
  const numbers = Array.from({ length: count }, (_, index) => index * every).slice(1);
  return { moves, moving: new Set(numbers.filter((number) => moves(number - every, number))) };
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

async function watchAsleep(pictures: readonly Picture[], { moves }: Footage, scene: SleepScene) {
  decoded.reset();
  const leastShare = zone.thresholdMin / 100;
  const camera = new WatchedCamera({
    ...{ picturesPerSecond: sceneFramesPerSecond, rate, sleep: true, leastShare, moves },
    ...{ width: scene.width, height: scene.height },
  });
  await camera.send(
    pictures.map(({ keyFrame, bytes }) => ({ kind: keyFrame ? 'key' : 'picture', bytes }) as const),
  );
  const { counts, crossed, found } = camera;
  camera.end();
  const sum = (bytes: readonly { readonly bytes: number }[]) =>
    bytes.reduce((total, one) => total + one.bytes, 0);
  const asleepPictures = ((counts?.asleepUs ?? 0) / 1e6) * sceneFramesPerSecond;
  return {
    ...{ counts, seen: new Set(found), asleep: asleepPictures / pictures.length },
    decoded: decoded.numbers.length / pictures.length,
    broken: decoded.broken.length,
    crossed: sum(crossed) / sum(pictures),
    messages: crossed.length / (pictures.length / sceneFramesPerSecond),
  };
}

test('what is found', async () => {
  await makeClips(['vtest.avi']);
  console.log(
    '  scene | gate | events found | with their first picture | asleep | wakes | missed | decoded | bytes on the bus | messages a second',
  );
  for (const scene of scenes) {
    const file = await sleepClip(scene);
    const footage = footageOf(file);
    const events = eventsOf(footage.moving);
    const watched = await watchAsleep(sizesOf(file), footage, scene);
    const { seen, counts } = watched;
    const found = events.filter(([first, last]) => [...seen].some((n) => n >= first && n <= last)).length;
    const whole = events.filter(([first]) => seen.has(first)).length;
    const shares = [watched.decoded, watched.crossed, watched.messages].map((share) => share.toFixed(2));
    console.log(
      `  ${scene.name} | ${counts?.refused ?? 'open'} | ${found}/${events.length} | ${whole} | ${watched.asleep.toFixed(2)} | ${counts?.wakes} | ${counts?.missed} | ${shares.join(' | ')}`,
    );
    expect(watched.broken, 'pictures that were decoded without those before them').toBe(0);
    expect(found, `events of ${scene.name}`).toBe(events.length);
  }
});

test('key frames alone, against decoding all at their rate', async () => {
  await makeClips(['vtest.avi']);
  console.log(
    '  scene | events | found by key frames alone | by decoding all, where it takes the same pictures | others: least, mean, most | decoded',
  );
  for (const scene of scenes.filter(({ isQuiet }) => !isQuiet)) {
    const { group } = scene;
    const file = await sleepClip(scene);
    const { moves, moving } = footageOf(file);
    const pictures = sizesOf(file);
    const all = eventsOf(moving);
    // A frame shows what has moved since the one before.
    const foundBy = (frames: readonly number[]) =>
      all.filter(([first, last]) => frames.some((n) => n >= first && n - group <= last)).length;
    const step = sceneFramesPerSecond / rate;
    const decodingAll = Array.from({ length: group / step }, (_, phase) => {
      const begins = Array.from({ length: Math.floor(pictures.length / group) - 1 }, (_, n) => n * group);
      const frames = begins.map((begin) => begin + phase * step);
      return foundBy(frames.filter((n) => moves(n, n + group)).map((n) => n + group));
    });
    decoded.reset();
    const camera = new WatchedCamera({
      ...{ picturesPerSecond: sceneFramesPerSecond, rate: sceneFramesPerSecond / group, moves },
    });
    await camera.send(pictures.map(({ keyFrame, bytes }) => ({ kind: keyFrame ? 'key' : 'picture', bytes })));
    camera.end();
    const found = foundBy(camera.found);
    // Of each period it takes the first picture, which is the key frame where both begin together.
    const [same = 0, ...others] = decodingAll;
    const mean = others.reduce((sum, count) => sum + count, 0) / others.length;
    const [least, most] = [Math.min(...others), Math.max(...others)];
    const share = (decoded.numbers.length / pictures.length).toFixed(2);
    console.log(
      `  ${scene.name} | ${all.length} | ${found} | ${same} | ${least}, ${mean.toFixed(1)}, ${most} | ${share}`,
    );
    expect(found, scene.name).toBeGreaterThanOrEqual(same);
  }
});

const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '2', '-sc_threshold', '0'];
const x265 = (more: string) => {
  const params = `log-level=error:pools=2:scenecut=0:${more}`;
  return ['-c:v', 'libx265', '-tag:v', 'hvc1', '-preset', 'veryfast', '-x265-params', params];
};
const encoders: Readonly<Record<string, readonly string[]>> = {
  'x264, no B-frames': [...x264, '-bf', '0'],
  'x264, 2 B-frames': [...x264, '-bf', '2'],
  'x264, 2 B-frames, open GOP': [...x264, '-bf', '2', '-x264-params', 'open-gop=1'],
  'x264, intra refresh': [...x264, '-bf', '0', '-x264-params', 'intra-refresh=1'],
  'x265, no B-frames': x265('bframes=0:open-gop=0'),
  'x265, no B-frames, open GOP': x265('bframes=0:open-gop=1'),
  'x265, B-frames, open GOP': x265('bframes=3:open-gop=1'),
};

test('what must not sleep', async () => {
  const names = Object.keys(encoders);
  const files = await Promise.all(
    Object.entries(encoders).map(([name, encoder]) =>
      sleepClip({ ...small, noise: 4, isQuiet: true, rate: ['-crf', '25'], seconds: 60, name, encoder }),
    ),
  );
  const mounts = Object.fromEntries(files.map((file, n) => [`m${n}`, { file }]));
  const camera = await startCamera({ mounts });
  const settings = { enable: true, feedRate: rate, duration: 10, zones: [zone], sleep: true };
  const monitors = names.map((_, n) => rtspMonitor(`m${n}`, [camera.url(`m${n}`)], { motion: settings }));
  const recorder = await startRecorder({ monitors });
  await pause(warmUpMs);
  const metrics = await (await recorder.fetch('/api/metrics')).text();
  console.log(`  encoder | seconds asleep of ${warmUpMs / 1000} | refused`);
  for (const [n, name] of names.entries()) {
    const asleep = new RegExp(`sleep_seconds_total{monitor="m${n}"} (\\S+)`).exec(metrics)?.[1];
    const refused = new RegExp(`sleep_refused{monitor="m${n}",reason="(\\w+)"}`).exec(metrics)?.[1];
    console.log(`  ${name} | ${Number(asleep ?? 0).toFixed(0)} | ${refused ?? '-'}`);
  }
});

interface Burst {
  /** When the first picture that shows it was taken, and when its event was on the bus. */
  readonly takenMs: number;
  readonly toldMs: number;
}

/** Longer than motion pauses in a burst. */
const burstGapMs = 6000;

test('how soon it wakes up', async () => {
  const watched = scenes.slice(0, 3);
  const files = await Promise.all(watched.map(sleepClip));
  const mounts = Object.fromEntries(files.map((file, n) => [`m${n}`, { file }]));
  const camera = await startCamera({ mounts });
  const monitors = watched.flatMap((_, n) =>
    [false, true].map((sleep) => {
      const settings = { enable: true, feedRate: rate, duration: 10, zones: [zone], sleep };
      return rtspMonitor(`${sleep ? 'asleep' : 'awake'}${n}`, [camera.url(`m${n}`)], { motion: settings });
    }),
  );
  const recorder = await startRecorder({ monitors });
  const address = await readBusAddress(join(recorder.folder, 'storage', 'bus'));
  if (!address) throw new Error('there is no bus');
  const bus = await Bus.connect(address, 'bench');
  const bursts = new Map<string, Burst[]>();
  const lastMs = new Map<string, number>();
  bus.subscribe(events, ['*', 'motion'], ({ monitorID, time }) => {
    const toldMs = Date.now();
    const isNew = toldMs - (lastMs.get(monitorID) ?? 0) > burstGapMs;
    lastMs.set(monitorID, toldMs);
    if (isNew) bursts.set(monitorID, [...(bursts.get(monitorID) ?? []), { takenMs: time / 1000, toldMs }]);
  });
  await pause(warmUpMs + seconds * 1000);
  await bus.close();
  console.log(
    `  from the first picture of a motion to its event on the bus; load ${loadavg()[0]?.toFixed(1)}`,
  );
  for (const [n, { name }] of watched.entries()) {
    const awake = bursts.get(`awake${n}`) ?? [];
    const asleep = awake.map(({ takenMs }) =>
      bursts.get(`asleep${n}`)?.find((burst) => Math.abs(burst.takenMs - takenMs) < burstGapMs),
    );
    const late = awake.flatMap(({ takenMs }, index) => (asleep[index]?.toldMs ?? Number.NaN) - takenMs || []);
    console.log(`  ${name}, awake: ${figures(awake.map(({ takenMs, toldMs }) => toldMs - takenMs))}`);
    console.log(`  ${name}, asleep: ${figures(late)}`);
  }
});

/** Of milliseconds. */
function figures(delaysMs: readonly number[]): string {
  const sorted = [...delaysMs].sort((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, at most ${at(1)} ms (${sorted.length})`;
}

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
