import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChild } from '../support/child.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { project } from '../support/project.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { recordingsIn } from '../support/recordings.ts';
import { quietMotion, startSeldomCamera } from '../support/street-cameras.ts';

/**
 * How long sixteen cameras are not recorded when the recorder is started again, and four of them when their process is killed:
 * 1080p15 with a key frame every 2 s, motion looked for on the sub stream.
 */

const cameras = 16;
const goalSeconds = { start: 3, kill: 2, one: 1.5 };
/** The key frame that is waited for comes at another moment of each. */
const runs = 5;

test('a restart of the recorder, and of one of its processes', async () => {
  const camera = await startSeldomCamera();
  const streams = [camera.url('main'), camera.url('sub')] as const;
  const first = await startRecorder({
    monitors: Array.from({ length: cameras }, (_, n) =>
      rtspMonitor(`m${n}`, streams, { alwaysRecord: true, motion: quietMotion }),
    ),
    startDeadlineMs: 120_000,
  });
  await records(first, cameras);
  await pause(15_000);
  await first.stop();
  const before = (await recordingsIn(first.recordings)).length;
  const began = performance.now();
  const restart = first.restart().then((recorder) => ({ recorder, servesS: secondsSince(began) }));
  // Cameras may be recorded before it serves.
  const someS = await records(first, before + 1, began);
  const allS = await records(first, before + cameras, began);
  const { recorder, servesS } = await restart;
  console.log(
    `  ${cameras} cameras: it serves after ${servesS.toFixed(1)} s, records the first after ${someS.toFixed(1)} s and all after ${allS.toFixed(1)} s (goal: ${goalSeconds.start}); load ${loadavg()[0]?.toFixed(1)}`,
  );
  await pause(15_000);
  const hosts = recorder.children(/pipeline-host/);
  const killed = performance.now();
  const known = (await recordingsIn(recorder.recordings)).length;
  process.kill(hosts[0] ?? 0, 'SIGKILL');
  const hit = cameras / hosts.length;
  const backS = await records(recorder, known + hit, killed);
  console.log(
    `  one of ${hosts.length} processes killed: its ${hit} cameras are recorded again after ${backS.toFixed(1)} s (goal: ${goalSeconds.kill})`,
  );
  expect(hosts).toHaveLength(4);
  await recorder.stop();
});

test('one camera, from `npm start` with nothing to build', async () => {
  const camera = await startSeldomCamera();
  const streams = [camera.url('main'), camera.url('sub')] as const;
  const monitors = [rtspMonitor('door', streams, { alwaysRecord: true, motion: quietMotion })];
  const first = await startRecorder({ monitors });
  await records(first, 1);
  await first.stop();
  const config = join(first.folder, 'configs', 'sentryshot.toml');
  for (let run = 1; run <= runs; run += 1) {
    const before = (await recordingsIn(first.recordings)).length;
    const began = performance.now();
    const recorder = startChild('npm', ['start', '--', '--config', config], { cwd: project });
    const seconds = await records(first, before + 1, began);
    console.log(
      `  \`npm start\`: the camera is recorded after ${seconds.toFixed(1)} s, of which up to 2 s wait for a key frame (goal: ${goalSeconds.one}); load ${loadavg()[0]?.toFixed(1)}`,
    );
    await recorder.line(/^Serving /, 30_000);
    await recorder.stop();
  }
});

/** @returns seconds until there are so many recordings. */
async function records(
  { recordings }: Pick<Recorder, 'recordings'>,
  files: number,
  since = performance.now(),
): Promise<number> {
  while ((await recordingsIn(recordings)).length < files) await pause(20);
  return secondsSince(since);
}

const secondsSince = (began: number) => (performance.now() - began) / 1000;
