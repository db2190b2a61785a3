import { expect, test } from 'vitest';
import { killWhileLogging } from '../support/log-kills.ts';

/** What is left of the log after two hundred kills at random moments, while 5,000 entries and 20 recordings a second are published. */

test('two hundred kills', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const begin = performance.now();
  const outcome = await killWhileLogging({ count: 200, pause: 1000, rate: 5000, seed });
  const { killed, published, dropped, missing, doubled, disordered, stuck, recordings } = outcome;
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(`  seed ${seed}: ${published} entries published in ${seconds} s, ${dropped} dropped`);
  console.log(`  killed: main ${killed.process}, its thread ${killed.thread}, nats-server ${killed.server}`);
  console.log(
    `  ${missing} missing, ${doubled} doubled, ${disordered} out of order, ${stuck} times not later`,
  );
  console.log(
    `  recordings: ${recordings.published} published, ${recordings.missing} missing, ${recordings.doubled} doubled, ${recordings.wrong} wrong`,
  );
  for (const report of outcome.reports) console.log(`  reported: ${report}`);
  expect(recordings).toMatchObject({ missing: 0, doubled: 0, wrong: 0 });
  expect({ dropped, missing, doubled, disordered, stuck }).toEqual({
    dropped: 0,
    missing: 0,
    doubled: 0,
    disordered: 0,
    stuck: 0,
  });
});
