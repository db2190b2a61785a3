import { expect, test } from 'vitest';
import { killWhileLogging } from '../../support/log-kills.ts';

// Two hundred of them: `npm run bench -- log-kills`.
test('whatever is killed at whatever moment, every published entry and recording is in the tables once, entries in order', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const outcome = await killWhileLogging({ count: 30, pause: 700, rate: 2000, seed });
  expect(outcome.published).toBeGreaterThan(10_000);
  expect(outcome.recordings.published).toBeGreaterThan(100);
  expect(outcome, `seed ${seed}`).toMatchObject({
    missing: 0,
    doubled: 0,
    disordered: 0,
    stuck: 0,
    dropped: 0,
    recordings: { missing: 0, doubled: 0, wrong: 0 },
  });
}, 120_000);
