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
 * What a monitor costs that records 1080p15 and looks for motion at 5 pictures a second, the whole process tree
 * included (main, bus, detector host), as a ratio against gst-launch-1.0 that decodes and records the same.
 */

/** Node's compiler and collector have come to rest by then. */
const warmUp = 50_000;
const measured = 40_000;

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

for (const monitors of [1, 4]) {
  describe(`${monitors} monitor${monitors > 1 ? 's' : ''}`, () => {
    test('main stream decoded', () => compare(monitors, false));
    test('sub stream decoded', () => compare(monitors, true));
  });
}

async function compare(monitors: number, sub: boolean): Promise<void> {
  const floor = await costOfGstLaunch(monitors, sub);
  const recorder = await costOfRecorder(monitors, sub);
  const line = (name: string, { cpu, memory: megabytes }: Cost) =>
    `  ${name.padEnd(11)} ${(cpu / monitors).toFixed(1).padStart(5)} % of a core and ${(megabytes / monitors).toFixed(0).padStart(4)} MB per monitor`;
  console.log(`${monitors} × 1080p15, ${sub ? '640×360 sub' : 'main'} stream decoded`);
  console.log(line('gst-launch', floor));
  console.log(line('sentrybus', recorder));
  console.log(
    `  ratio       ${(recorder.cpu / floor.cpu).toFixed(2)} CPU, ${(recorder.memory / floor.memory).toFixed(2)} memory`,
  );
}

async function costOfRecorder(monitors: number, sub: boolean): Promise<Cost> {
  const streams = (): [string, string?] =>
    sub ? [camera.url('main'), camera.url('sub')] : [camera.url('main')];
  const recorder = await startRecorder({
    monitors: Array.from({ length: monitors }, (_, n) =>
      rtspMonitor(`m${n}`, streams(), { alwaysRecord: true, motion }),
    ),
  });
  const cost = await measure([recorder.pid]);
  await recorder.stop();
  return cost;
}

async function costOfGstLaunch(monitors: number, sub: boolean): Promise<Cost> {
  const folder = await temporaryFolder();
  const decode =
    'queue ! avdec_h264 max-threads=1 ! videorate drop-only=true max-rate=5 ! videoconvertscale ! video/x-raw,format=GRAY8,width=320,height=180 ! fakesink sync=false';
  const source = (mount: string) =>
    `rtspsrc location=${camera.url(mount)} protocols=tcp ! rtph264depay ! h264parse`;
  const children = Array.from({ length: monitors }, (_, n) => {
    const record = `queue ! mp4mux fragment-duration=1000 streamable=true ! filesink location=${folder}/${n}.mp4`;
    const launch = sub
      ? `${source('main')} ! ${record} ${source('sub')} ! ${decode}`
      : `${source('main')} ! tee name=t ! ${record} t. ! ${decode}`;
    return startChild('gst-launch-1.0', ['-q', ...launch.split(' ')]);
  });
  const cost = await measure(children.map(({ pid }) => pid));
  for (const child of children) await child.stop();
  return cost;
}

async function measure(pids: readonly number[]): Promise<Cost> {
  const used = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  await pause(warmUp);
  const [before, began] = [used(), Date.now()];
  await pause(measured);
  const cpu = ((used() - before) / ((Date.now() - began) / 1000)) * 100;
  return { cpu, memory: pids.reduce((sum, pid) => sum + memory(pid).pss, 0) / 1e6 };
}
