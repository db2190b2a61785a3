import { expect, test } from 'vitest';
import { killRecorder, readNumberedArchive, startNumberedRecorder } from '../support/recording-kills.ts';

/** What is left of recordings after three hundred kills of pipelines and main at random moments. */

test('three hundred kills', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const count = Number(process.env['KILLS'] ?? 300);
  const begin = performance.now();
  const numbered = await startNumberedRecorder();
  const { recorder, killed } = await killRecorder(numbered.recorder, {
    count,
    pauseMs: 1500,
    main: 0.5,
    seed,
  });
  await recorder.stop();
  const { files, pictures, faults, agesMs } = await readNumberedArchive(numbered);
  const sorted = agesMs.filter((age) => age > 0).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `  seed ${seed}: ${killed.pipeline} pipelines and ${killed.main} times main killed in ${seconds} s`,
  );
  console.log(`  ${agesMs.length} connections, ${files} files, ${pictures} pictures`);
  console.log(
    `  oldest missing picture at an end: p50 ${at(0.5)}, p95 ${at(0.95)}, at most ${at(1)} ms; ${sorted.filter((age) => age > 1000).length} older than 1 s`,
  );
  for (const fault of faults) console.log(`  ${fault}`);
  expect(faults).toEqual([]);
});
