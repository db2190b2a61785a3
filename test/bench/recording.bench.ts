import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, test } from 'vitest';
import { type Camera, startCamera } from '../support/camera.ts';
import { startChild } from '../support/child.ts';
import { benchClips, clip, makeClips } from '../support/clips.ts';
import { temporaryFolder } from '../support/folder.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { cpuSeconds, memory } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';

/**
 * What a monitor costs that records 1080p15, alone and while it looks for motion at 5 frames a second, the whole
 * process tree included (main, bus, detector host), as a ratio against gst-launch-1.0 that does the same. Both run at
 * the same time, so that what else the machine does changes both.
 */

/** Node's compiler and collector have come to rest by then. */
const warmUp = 30_000;
const measured = 25_000;

/** The zone that SentryShot's settings page begins with: people walking by at a distance seldom set it off. */
const zone = {
  enable: true,
  sensitivity: 8,
  thresholdMin: 10,
  thresholdMax: 100,
  area: [
    [300_000, 200_000],
    [700_000, 200_000],
    [700_000, 800_000],
    [300_000, 800_000],
  ] as [number, number][],
};
const motion = { enable: true, feedRate: 5, duration: 120, zones: [zone] };

interface Cost {
  /** Percent of one core. */
  readonly cpu: number;
  /** Megabytes, what several processes share counted once. */
  readonly memory: number;
}

let camera: Camera;
beforeAll(async () => {
  await makeClips(benchClips);
  camera = await startCamera({
    mounts: { main: { file: clip('street-1080.mp4') }, sub: { file: clip('street-360.mp4') } },
  });
});

const works = ['recording alone', 'motion on the main stream', 'motion on the sub stream'] as const;
type Work = (typeof works)[number];

for (const monitors of [1, 4]) {
  describe(`${monitors} monitor${monitors > 1 ? 's' : ''}`, () => {
    test.each(works)('%s', (work) => compare(monitors, work));
  });
}

async function compare(monitors: number, work: Work): Promise<void> {
  const [floor, recorder] = [await startGstLaunch(monitors, work), await startSentrybus(monitors, work)];
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
  const detectors = work === 'recording alone' ? {} : { motion };
  const recorder = await startRecorder({
    monitors: Array.from({ length: monitors }, (_, n) =>
      rtspMonitor(`m${n}`, streams, { alwaysRecord: true, ...detectors }),
    ),
  });
  return [recorder.pid];
}

/** @returns a process for each monitor. */
async function startGstLaunch(monitors: number, work: Work): Promise<number[]> {
  const folder = await temporaryFolder();
  const decode =
    'queue ! avdec_h264 max-threads=1 ! videorate drop-only=true max-rate=5 ! videoconvertscale ! video/x-raw,format=GRAY8,width=320,height=180 ! fakesink sync=false';
  const source = (mount: string) =>
    `rtspsrc location=${camera.url(mount)} protocols=tcp ! rtph264depay ! h264parse`;
  return Array.from({ length: monitors }, (_, n) => {
    const record = `queue ! mp4mux fragment-duration=1000 streamable=true ! filesink location=${folder}/${n}.mp4`;
    const launch = {
      'recording alone': `${source('main')} ! ${record}`,
      'motion on the main stream': `${source('main')} ! tee name=t ! ${record} t. ! ${decode}`,
      'motion on the sub stream': `${source('main')} ! ${record} ${source('sub')} ! ${decode}`,
    }[work];
    return startChild('gst-launch-1.0', ['-q', ...launch.split(' ')]).pid;
  });
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
