import { loadavg } from 'node:os';
import { beforeAll, test } from 'vitest';
import type { Camera } from '../support/camera.ts';
import { type Cost, measureCosts, totalCost } from '../support/cost.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { startMotionRecorder } from '../support/motion-program.ts';
import { startRecorder } from '../support/recorder.ts';
import { quietMotion, startGstLaunch, startStreetCamera } from '../support/street-cameras.ts';

/**
 * What cameras cost that are recorded in 1080p15 while motion is looked for 5 times a second, beside gst-launch-1.0 and the
 * program `motion`, which do the same at the same time: CPU time of all their processes, how often their threads wake up, and
 * memory, what several processes share counted once. The cameras' own cost is not counted. One line of the table: `npm run bench -- cost -t "cameras: 4,"`.
 */

/** Node's compiler and collector have come to rest by then. */
const warmUpMs = Number(process.env['WARM_UP'] ?? 30) * 1000;
const measuredMs = Number(process.env['SECONDS'] ?? 25) * 1000;

interface Row {
  readonly cameras: number;
  /** The stream that motion is looked for in: 1920×1080 or 640×360. */
  readonly decoded: 'main' | 'sub';
  /** CPU as a ratio to gst-launch, and megabytes. */
  readonly goal: readonly [ratio: number, megabytes: number];
}

const rows: readonly Row[] = [
  { cameras: 1, decoded: 'sub', goal: [1.4, 190] },
  { cameras: 4, decoded: 'sub', goal: [1.2, 250] },
  { cameras: 16, decoded: 'sub', goal: [1.15, 550] },
  { cameras: 4, decoded: 'main', goal: [0.9, 330] },
];

let camera: Camera;
beforeAll(async () => {
  camera = await startStreetCamera();
});

test.each(rows)('cameras: $cameras, motion on the $decoded stream', async ({ cameras, decoded, goal }) => {
  const programs = new Map([
    ['gst-launch', await startGstLaunch(camera, cameras, decoded)],
    ['sentrybus', [await startSentrybus(cameras, decoded)]],
    ['motion', [await startMotion(cameras, decoded)]],
  ]);
  const costs = await measureCosts(programs, { warmUpMs, measuredMs });
  const reference = totalCost(costs.get('gst-launch') ?? new Map());
  const [ratio, megabytes] = goal;
  const load = loadavg()[0]?.toFixed(1);
  console.log(`${cameras} × 1080p15 recorded, motion on the ${decoded} stream; load ${load}`);
  console.log(
    `  goal         ${''.padStart(9)} (${ratio.toFixed(2)}) ${megabytes.toFixed(0).padStart(6)} MB`,
  );
  for (const [name, byPart] of costs) {
    const all = totalCost(byPart);
    console.log(line(name, all, (all.cpu / reference.cpu).toFixed(2)));
    if (byPart.size > 1) for (const [part, cost] of byPart) console.log(line(`- ${part}`, cost));
  }
});

function line(name: string, { cpu, wakeUps, megabytes }: Cost, ratio?: string): string {
  const related = ratio ? `(${ratio})` : '';
  const [percent, times, memory] = [cpu.toFixed(1), wakeUps.toFixed(0), megabytes.toFixed(0)];
  return `  ${name.padEnd(13)}${percent.padStart(6)} % ${related.padEnd(6)} ${memory.padStart(6)} MB ${times.padStart(6)} wake-ups/s`;
}

/** @returns the process of main. */
async function startSentrybus(cameras: number, decoded: Row['decoded']): Promise<number> {
  const [main, sub] = [camera.url('main'), camera.url('sub')];
  const streams: [string, string?] = decoded === 'sub' ? [main, sub] : [main];
  const recorder = await startRecorder({
    monitors: Array.from({ length: cameras }, (_, n) =>
      rtspMonitor(`m${n}`, streams, { alwaysRecord: true, motion: quietMotion }),
    ),
  });
  return recorder.pid;
}

async function startMotion(cameras: number, decoded: Row['decoded']): Promise<number> {
  const streams = { recorded: camera.url('main'), watched: camera.url(decoded) };
  return (await startMotionRecorder(Array.from({ length: cameras }, () => streams))).pid;
}
