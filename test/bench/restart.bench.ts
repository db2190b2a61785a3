import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { rtspMonitor, tflite } from '../support/monitors.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';

/** How long nobody looks for objects after the detector host was killed. */

const kills = 10;
/** What has run for so long is started again at once. */
const steady = 11_000;

/** Milliseconds until a process of Node's has loaded what the detector host loads, and ended. */
async function loading(): Promise<number> {
  const module = join(project, 'dist/modules/actors/detectors/host/detector-runner.js');
  const start = performance.now();
  const child = spawn(process.execPath, [module], { stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - start;
}

test('a detector host that is killed while it looks at pictures', async () => {
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const recorder = await startRecorder({
    config: { plugin: ['auth_basic', 'tflite'].map((name) => ({ name, enable: true })) },
    monitors: [rtspMonitor('street', [camera.url('main')], { tflite: { ...tflite, feedRate: 10 } })],
  });
  // From the beginning: detection begins before the web server does.
  const feed = await recorder.feed('/api/logs?sources=tflite&after=1');
  await feed.frame<LogEntry>(({ msg }) => /runs on/.test(msg), 30_000);
  const [away, reference]: [number[], number[]] = [[], []];
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(steady);
    reference.push(await loading());
    const [host = 0] = recorder.children(/detectors\/host/);
    const killed = Date.now();
    process.kill(host, 'SIGKILL');
    const back = await feed.frame<LogEntry>(
      ({ msg, time }) => /runs on/.test(msg) && time > killed * 1000,
      30_000,
    );
    away.push(back.time / 1000 - killed);
  }
  const sorted = (numbers: number[]) => [...numbers].sort((a, b) => a - b);
  const [half, most] = [sorted(away)[kills >> 1] ?? 0, Math.max(...away)];
  const bare = sorted(reference)[kills >> 1] ?? Number.NaN;
  console.log(
    `${kills} kills: back after ${half.toFixed(0)} ms, ${most.toFixed(0)} ms at most; ${(half / bare).toFixed(2)} times what loading its modules takes (${bare.toFixed(0)} ms); load average ${loadavg()[0]?.toFixed(1)}`,
  );
  expect(half / bare).toBeLessThan(3);
});
