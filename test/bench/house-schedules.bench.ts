import fc from 'fast-check';
import { test } from 'vitest';
import { houseSchedules } from '../support/house-schedules.ts';
import { playHouse } from '../support/simulated-house.ts';

const numRuns = Number(process.env['SCHEDULES'] ?? 8000);

test.each(Object.entries(houseSchedules))(
  '%s: how many schedules lose an event at the broker, or the order of some',
  (name, schedules) => {
    const flaws: string[] = [];
    fc.assert(
      fc.property(schedules, (schedule) => {
        flaws.push(...playHouse(schedule));
      }),
      { numRuns },
    );
    console.log(`${name}: ${flaws.length} of ${numRuns}`, flaws.slice(0, 10));
  },
  60 * 60_000,
);
