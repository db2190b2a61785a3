import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffDelay } from '../../../bus/base/backoff.ts';

const limits = { minMs: 500, maxMs: 30_000 };

test('a pause is never shorter than the least nor longer than the most', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, random) => {
        const pause = backoffDelay(limits, n, random);
        expect(pause).toBeGreaterThanOrEqual(limits.minMs);
        expect(pause).toBeLessThanOrEqual(limits.maxMs);
      },
    ),
  );
});

test('every pause is spread over half its length, the first one too', () => {
  const pauses = (attempt: number) => [0, 0.5, 1].map((random) => backoffDelay(limits, attempt, random));
  expect(pauses(1)).toEqual([500, 750, 1000]);
  expect(pauses(3)).toEqual([2000, 3000, 4000]);
  expect(pauses(99)).toEqual([15_000, 22_500, 30_000]);
});
