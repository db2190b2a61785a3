import { expect, test } from 'vitest';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { measureCosts, totalCost } from '../support/cost.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { quietMotion, startGstLaunch } from '../support/street-cameras.ts';

/**
 * Nobody makes the recorder heavier without noticing: a short form of `npm run bench -- cost`, which has the figures and the
 * goals. No time is compared, only what the recorder takes with what gst-launch-1.0 takes for the same work at the same time.
 */

const cameras = 4;
/** One and a half times the goals for four cameras. */
const most = { ratio: 1.5 * 1.2, megabytes: 1.5 * 250 };

test('four cameras cost little more than the same in gst-launch-1.0', async () => {
  const camera = await startCamera({
    mounts: { main: { file: clip('vtest.mp4') }, sub: { file: clip('vtest-sub.mp4') } },
  });
  const recorder = await startRecorder({
    monitors: Array.from({ length: cameras }, (_, n) =>
      rtspMonitor(`m${n}`, [camera.url('main'), camera.url('sub')], {
        alwaysRecord: true,
        motion: quietMotion,
      }),
    ),
  });
  const costs = await measureCosts(
    new Map([
      ['reference', await startGstLaunch(camera, cameras, 'sub')],
      ['recorder', [recorder.pid]],
    ]),
    { warmUpMs: 15_000, measuredMs: 12_000 },
  );
  const [own, reference] = ['recorder', 'reference'].map((name) => totalCost(costs.get(name) ?? new Map()));
  const ratio = (own?.cpu ?? 0) / (reference?.cpu ?? 1);
  console.log(`four cameras: CPU of gst-launch-1.0 ${ratio.toFixed(2)}, ${own?.megabytes.toFixed(0)} MB`);
  expect(ratio).toBeGreaterThan(0.1);
  expect(ratio).toBeLessThan(most.ratio);
  expect(own?.megabytes).toBeLessThan(most.megabytes);
});
