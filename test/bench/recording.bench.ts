import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, test } from 'vitest';
import type { Camera } from '../support/camera.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { cpuSeconds, memory } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { quietMotion, startGstLaunch, startStreetCamera } from '../support/street-cameras.ts';

/**
 * What a monitor costs that records 1080p15, alone and while it looks for motion at 5 frames a second, the whole
 * process tree included (main, bus, detector host), as a ratio against gst-launch-1.0 that does the same. Both run at
 * the same time, so that what else the machine does changes both.
 */

/** Node's compiler and collector have come to rest by then. */
const warmUp = 30_000;
const measured = 25_000;

interface Cost {
  /** Percent of one core. */
  readonly cpu: number;
  /** Megabytes, what several processes share counted once. */
  readonly memory: number;
}

let camera: Camera;
beforeAll(async () => {
  camera = await startStreetCamera();
});

/** The stream that is decoded for motion. */
const decodedBy = {
  'recording alone': 'none',
  'motion on the main stream': 'main',
  'motion on the sub stream': 'sub',
} as const;
type Work = keyof typeof decodedBy;
const works = Object.keys(decodedBy) as Work[];

for (const monitors of [1, 4]) {
  describe(`${monitors} monitor${monitors > 1 ? 's' : ''}`, () => {
    test.each(works)('%s', (work) => compare(monitors, work));
  });
}

async function compare(monitors: number, work: Work): Promise<void> {
  const [floor, recorder] = [
    await startGstLaunch(camera, monitors, decodedBy[work]),
    await startSentrybus(monitors, work),
  ];
  const [before, cost] = await measure([floor, recorder]);
  if (!before || !cost) return;
  const line = (name: string, { cpu, memory: megabytes }: Cost) =>
    `  ${name.padEnd(11)} ${(cpu / monitors).toFixed(1).padStart(5)} % of a core and ${(megabytes / monitors).toFixed(0).padStart(4)} MB per monitor`;
  console.log(`${monitors} × 1080p15, ${work}`);
  console.log(line('gst-launch', before));
  console.log(line('sentrybus', cost));
  console.log(
    `  ratio       ${(cost.cpu / before.cpu).toFixed(2)} CPU, ${(cost.memory / before.memory).toFixed(2)} memory`,
  );
}

/** @returns its process, with the others below it. */
async function startSentrybus(monitors: number, work: Work): Promise<number[]> {
  const [main, sub] = [camera.url('main'), camera.url('sub')];
  const streams: [string, string?] = work === 'motion on the sub stream' ? [main, sub] : [main];
  const detectors = work === 'recording alone' ? {} : { motion: quietMotion };
  const recorder = await startRecorder({
    monitors: Array.from({ length: monitors }, (_, n) =>
      rtspMonitor(`m${n}`, streams, { alwaysRecord: true, ...detectors }),
    ),
  });
  return [recorder.pid];
}

/** @returns the cost of each group of processes. */
async function measure(groups: readonly (readonly number[])[]): Promise<Cost[]> {
  const used = () => groups.map((pids) => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0));
  await pause(warmUp);
  const [before, began] = [used(), Date.now()];
  await pause(measured);
  const seconds = (Date.now() - began) / 1000;
  return used().map((total, group) => ({
    cpu: ((total - (before[group] ?? 0)) / seconds) * 100,
    memory: (groups[group] ?? []).reduce((sum, pid) => sum + memory(pid).pss, 0) / 1e6,
  }));
}
