import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MachineClock } from '../../../bus/base/machine-clock.ts';

const second = 1_000_000;
const year = 365 * 86_400 * second;

test('a clock that is set is noticed once, with how far, whatever the size', () => {
  const steps = fc.array(
    fc.oneof(
      fc.integer({ min: 500_000, max: 5 * second }),
      fc.integer({ min: -5 * second, max: -500_000 }),
      fc.integer({ min: -30, max: 30 }).map((years) => (years || 1) * year),
    ),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(steps, (sizes) => {
      let [wallUs, monotonicUs] = [1_700_000_000 * second, 5 * second];
      const clock = new MachineClock(() => ({ wallUs, monotonicUs }));
      for (const size of sizes) {
        wallUs += size;
        for (const expected of [size, 0, 0]) {
          wallUs += second;
          monotonicUs += second;
          expect(clock.look()).toBe(expected);
          expect(monotonicUs + clock.offsetUs).toBe(wallUs);
        }
      }
    }),
  );
});

test('a clock that is corrected a little at a time is a deviation, and becomes a step when it is half a second', () => {
  let offset = 0;
  const clock = new MachineClock(() => ({ wallUs: 1000 * second + offset, monotonicUs: 0 }));
  // Readings are not exact.
  offset = 15_000;
  expect([clock.look(), clock.deviationUs]).toEqual([0, 0]);
  offset = -300_000;
  expect([clock.look(), clock.deviationUs]).toEqual([0, -300_000]);
  offset = -600_000;
  expect([clock.look(), clock.deviationUs]).toEqual([-600_000, 0]);
});

test('the clocks of this machine agree with themselves', () => {
  const clock = new MachineClock();
  expect(clock.look()).toBe(0);
  const wallUs = performance.now() * 1000 + clock.offsetUs;
  expect(Math.abs(wallUs - Date.now() * 1000)).toBeLessThan(100_000);
});
