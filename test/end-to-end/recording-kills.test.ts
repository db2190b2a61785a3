import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loopDisk } from '../support/disk.ts';
import { troubleDisk } from '../support/disk-troubles.ts';
import { killRecorder, readNumberedArchive, startNumberedRecorder } from '../support/recording-kills.ts';

// Three hundred kills, and more troubles: `npm run bench -- recording-kills`.
test('kills and a full disk leave files that play and cost a second, and recording goes on by itself', async ({
  skip,
}) => {
  const disk = await loopDisk(300);
  if (disk === undefined) return skip('no disk can be mounted here');
  const numbered = await startNumberedRecorder({ storage_dir: join(disk, 'storage') });
  const recordings = join(disk, 'storage', 'recordings');
  const seed = Math.floor(Math.random() * 2 ** 31);
  const first = { ...numbered.recorder, recordings };
  const { recorder } = await killRecorder(first, { count: 6, pauseMs: 1500, main: 0, seed });
  const { beganMs, endedMs, logged } = await troubleDisk({ ...recorder, recordings }, disk, 'full', 8000);
  const said = [...logged].filter(([text]) => /cannot record|recording again/.test(text));
  expect(
    said.map(([, times]) => times),
    [...logged.keys()].join('\n'),
  ).toEqual([1, 1, 1, 1]);
  await recorder.stop();
  const isLoss = (ms: number) => ms >= beganMs - 1000 && ms <= endedMs;
  const { faults, agesMs, pictures } = await readNumberedArchive(
    { ...numbered, recorder: { ...recorder, recordings } },
    isLoss,
  );
  expect(faults, `seed ${seed}`).toEqual([]);
  expect(pictures).toBeGreaterThan(100);
  // A fragment is a second; a busy machine takes its time to write it.
  expect(Math.max(...agesMs), `seed ${seed}`).toBeLessThan(2000);
});
