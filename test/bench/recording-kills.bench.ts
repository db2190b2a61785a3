import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { launchChromium, playInChromium } from '../support/chromium.ts';
import { loopDisk } from '../support/disk.ts';
import { troubleDisk } from '../support/disk-troubles.ts';
import {
  catalogueFaults,
  killRecorder,
  readNumberedArchive,
  startNumberedRecorder,
} from '../support/recording-kills.ts';

/**
 * What is left of recordings after three hundred kills of pipelines and main at random moments, and after a disk that was full,
 * read-only and slow.
 */

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const count = Number(process.env['KILLS'] ?? 300);

test('three hundred kills', async () => {
  const begin = performance.now();
  const numbered = await startNumberedRecorder();
  const { recorder, killed, longestStartMs } = await killRecorder(numbered.recorder, {
    ...{ count, pauseMs: 2500, main: 0.12, seed },
  });
  await recorder.stop();
  const { files, pictures, picturesOf, faults, agesMs } = await readNumberedArchive(numbered);
  const sorted = agesMs.filter((age) => age > 0).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `  seed ${seed}: ${killed.pipeline} pipelines and ${killed.main} times main killed in ${seconds} s`,
  );
  console.log(`  main served again after ${(longestStartMs / 1000).toFixed(1)} s at most`);
  console.log(`  ${agesMs.length} connections, ${files} files, ${pictures} pictures`);
  const late = sorted.filter((age) => age > 1000).length;
  console.log(
    `  oldest missing picture at an end: p50 ${at(0.5)}, p95 ${at(0.95)}, at most ${at(1)} ms; ${late} older than 1 s`,
  );
  for (const fault of faults) console.log(`  ${fault}`);

  const page = await (await launchChromium()).newPage();
  let played = 0;
  for (const [file, expected] of picturesOf) {
    const found = await playInChromium(page, file).catch((error: Error) => error.message);
    const isWhole = typeof found === 'object' && found.pictures === expected && found.leftS === 0;
    if (isWhole) played += 1;
    else faults.push(`${basename(file)} of ${expected} pictures in Chromium: ${JSON.stringify(found)}`);
  }
  console.log(`  ${played} of ${files} files played in Chromium to their end, with every picture`);

  const differences = await catalogueFaults(recorder);
  console.log(`  catalogue and folder: ${differences.length} differences`);
  for (const difference of differences) console.log(`  ${difference}`);
  expect([...faults, ...differences]).toEqual([]);
});

test('a full, a read-only and a slow disk', async ({ skip }) => {
  const disk = await loopDisk(400);
  if (disk === undefined) return skip('no disk can be mounted here');
  const numbered = await startNumberedRecorder({ storage_dir: join(disk, 'storage') });
  const recorder = { ...numbered.recorder, recordings: join(disk, 'storage', 'recordings') };
  const losses: [number, number][] = [];
  const repeated: string[] = [];
  for (const trouble of ['full', 'read-only', 'slow'] as const) {
    const { beganMs, endedMs, recoveryMs, logged } = await troubleDisk(recorder, disk, trouble, 20_000);
    if (trouble !== 'slow') losses.push([beganMs - 1000, endedMs]);
    const entries = [...logged.values()].reduce((sum, times) => sum + times, 0);
    console.log(
      `  ${trouble}: recording ${(recoveryMs / 1000).toFixed(1)} s after the disk; ${entries} entries`,
    );
    for (const [text, times] of logged) {
      console.log(`    ${times} × ${text}`);
      if (times > 1 && /record/.test(text)) repeated.push(`${trouble}: ${times} × ${text}`);
    }
  }
  await recorder.stop();
  const isLoss = (ms: number) => losses.some(([from, to]) => ms >= from && ms <= to);
  const { files, pictures, faults } = await readNumberedArchive({ ...numbered, recorder }, isLoss);
  console.log(`  ${files} files, ${pictures} pictures`);
  for (const fault of faults) console.log(`  ${fault}`);
  expect([...faults, ...repeated]).toEqual([]);
});
