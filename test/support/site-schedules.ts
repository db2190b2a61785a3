import fc from 'fast-check';
import type { SiteSchedule } from './simulated-site.ts';

const machine = fc.nat({ max: 4 });
const when = { at: fc.integer({ min: 2000, max: 45_000 }), lasts: fc.integer({ min: 200, max: 15_000 }) };

const fault = fc.oneof(
  fc.record({ ...when, kind: fc.constantFrom('kill' as const, 'stop' as const, 'cut' as const), machine }),
  fc.record({ ...when, kind: fc.constant('pause' as const), machine, pipelines: fc.boolean() }),
  fc.record({ ...when, kind: fc.constant('one-way' as const), from: machine, to: machine }),
  fc.record({
    ...when,
    kind: fc.constant('loss' as const),
    share: fc.double({ min: 0, max: 0.9, noNaN: true }),
  }),
  fc.record({ ...when, kind: fc.constant('no-records' as const) }),
);

/** What can happen to a site of three to five machines within a minute. */
export const siteSchedules: fc.Arbitrary<SiteSchedule> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  machines: fc.integer({ min: 3, max: 5 }),
  monitors: fc.integer({ min: 1, max: 6 }),
  separate: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  rates: fc.array(fc.double({ min: 0.98, max: 1.02, noNaN: true }), { minLength: 5, maxLength: 5 }),
  faults: fc.array(fault, { maxLength: 8 }),
});
