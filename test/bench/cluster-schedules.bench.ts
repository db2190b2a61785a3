import fc from 'fast-check';
import { expect, test } from 'vitest';
import { playSchedule } from '../support/simulated-site.ts';
import { siteSchedules } from '../support/site-schedules.ts';

const numRuns = Number(process.env['SCHEDULES'] ?? 100_000);

test(
  `${numRuns} random schedules of faults leave no monitor unrecorded`,
  () => {
    fc.assert(
      fc.property(siteSchedules, (schedule) => {
        expect(playSchedule(schedule)).toEqual([]);
      }),
      { numRuns },
    );
  },
  4 * 60 * 60_000,
);
