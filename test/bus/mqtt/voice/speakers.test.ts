import fc from 'fast-check';
import { expect, test } from 'vitest';
import { playHouse } from '../../../support/simulated-house.ts';

const machine = fc.nat({ max: 3 });
const when = {
  at: fc.integer({ min: 5000, max: 45_000 }),
  lasts: fc.integer({ min: 200, max: 15_000 }),
  machine,
};
const faults = fc.record({
  ...when,
  kind: fc.constantFrom('dead' as const, 'alone' as const, 'offline' as const, 'cut' as const),
});
const clockSteps = fc.record({ ...when, kind: fc.constantFrom('ahead' as const, 'behind' as const) });
const calm = {
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  machines: fc.integer({ min: 2, max: 4 }),
  clocks: fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 4, maxLength: 4 }),
  moves: fc.array(
    fc.integer({ min: 50, max: 590 }).map((n) => n * 100),
    { maxLength: 4 },
  ),
};
const schedules = fc.record({ ...calm, faults: fc.array(faults, { maxLength: 6 }) });
const stepSchedules = fc.record({ ...calm, faults: fc.tuple(clockSteps, faults) });

test('whatever happens, what is seen is published, and one machine speaks when all is well', () => {
  fc.assert(
    fc.property(schedules, (schedule) => {
      expect(playHouse(schedule)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('a clock that is set by half a minute beside another fault leaves nothing unpublished', () => {
  fc.assert(
    fc.property(stepSchedules, (schedule) => {
      expect(playHouse(schedule)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
