import fc from 'fast-check';
import type { HouseSchedule } from './simulated-house.ts';

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
const standstills = fc.record({ ...when, kind: fc.constant('still' as const) });
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
const faultSchedules = fc.record({ ...calm, faults: fc.array(faults, { maxLength: 6 }) });
/** A clock that is wrong for a while, and then, or before, another fault. */
const stepSchedules = fc
  .tuple(fc.record(calm), clockSteps, faults, fc.boolean())
  .map(([rest, step, fault, isFirst]): HouseSchedule => {
    const [one, other] = isFirst ? [step, fault] : [fault, step];
    const begin = { ...one, at: 5000 + (one.at % 10_000) };
    const then = begin.at + begin.lasts + 5000;
    return { ...rest, faults: [begin, { ...other, at: then + (other.at % 10_000) }] };
  });
const overlappingSchedules = fc.record({ ...calm, faults: fc.tuple(clockSteps, faults) });
const standstillSchedules = fc.record({
  ...calm,
  faults: fc.array(fc.oneof(faults, standstills), { maxLength: 6 }),
});

/** What can happen to the machines of a house within a minute and a half, up to six faults of a kind. */
export const houseSchedules = {
  faults: faultSchedules,
  'faults and standstills': standstillSchedules,
  'a clock step before or after a fault': stepSchedules,
  'a clock step during a fault': overlappingSchedules,
} satisfies Record<string, fc.Arbitrary<HouseSchedule>>;
