import fc from 'fast-check';
import { expect, test } from 'vitest';
import { playHouse } from '../../../support/simulated-house.ts';

const machine = fc.nat({ max: 3 });
const schedules = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  machines: fc.integer({ min: 2, max: 4 }),
  clocks: fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 4, maxLength: 4 }),
  moves: fc.array(
    fc.integer({ min: 50, max: 590 }).map((n) => n * 100),
    { maxLength: 4 },
  ),
  faults: fc.array(
    fc.record({
      at: fc.integer({ min: 5000, max: 45_000 }),
      lasts: fc.integer({ min: 200, max: 15_000 }),
      kind: fc.constantFrom('dead' as const, 'alone' as const, 'offline' as const, 'cut' as const),
      machine,
    }),
    { maxLength: 6 },
  ),
});

test('whatever happens, what is seen is published, and one machine speaks when all is well', () => {
  fc.assert(
    fc.property(schedules, (schedule) => {
      expect(playHouse(schedule)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
