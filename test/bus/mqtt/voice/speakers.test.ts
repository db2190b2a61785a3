import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Speakers } from '../../../../bus/mqtt/voice/speakers.ts';
import { type HouseSchedule, playHouse } from '../../../support/simulated-house.ts';

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

const quiet = { seed: 1, machines: 3, clocks: [0, 0, 0, 0], moves: [] };

test.each([
  [
    'what is seen while the clock is set back does not overtake what waits',
    {
      ...quiet,
      moves: [5000],
      faults: [
        { at: 8501, lasts: 500, machine: 0, kind: 'behind' },
        { at: 5000, lasts: 4001, machine: 0, kind: 'alone' },
      ],
    },
  ],
  [
    'what is seen just after a short turn is published in its order',
    {
      ...quiet,
      seed: 10_970_741,
      faults: [
        { at: 5000, lasts: 6601, machine: 0, kind: 'dead' },
        { at: 20_801, lasts: 5700, machine: 1, kind: 'alone' },
        { at: 24_001, lasts: 200, machine: 0, kind: 'dead' },
      ],
    },
  ],
  [
    'a machine that starts without the broker does not say that all of the past was its own',
    {
      ...quiet,
      machines: 2,
      faults: [
        { at: 13_550, lasts: 2651, machine: 0, kind: 'dead' },
        { at: 10_242, lasts: 9459, machine: 0, kind: 'offline' },
        { at: 16_301, lasts: 3400, machine: 1, kind: 'cut' },
      ],
    },
  ],
] satisfies [string, HouseSchedule][])('%s', (_, schedule) => {
  expect(playHouse(schedule)).toEqual([]);
});

const [id, second, beganAt] = ['door', 1e6, 1e12];
const doorOf = (machine: string, rank: number) => ({ machine, attends: [{ id, rank, streaming: true }] });

/** Machine b hears that a speaks, for ten seconds; both are at the broker. @returns what b decides, and when that was. */
function besideSpeaker() {
  const speakers = new Speakers({
    machine: 'b',
    monitors: () => [{ id, isEnabled: true }],
    startedAt: beganAt,
  });
  speakers.setConnected(true);
  speakers.setOnline('a', true, beganAt);
  const claim = { machine: 'a', rank: 10, streaming: true, turns: [{ machine: 'a', since: beganAt }] };
  speakers.learn(id, claim);
  let now = beganAt;
  for (; now < beganAt + 10 * second; now += second / 5) {
    speakers.hear('a', now);
    speakers.decide([doorOf('a', 10), doorOf('b', 0)], now);
  }
  return { speakers, lastAt: now - second / 5 };
}

test('what a machine sees after the last heartbeat of one that is not missed at the broker yet is published', () => {
  const { speakers, lastAt } = besideSpeaker();
  const now = lastAt + 3.2 * second;
  speakers.decide([doorOf('b', 11)], now);
  expect(speakers.speaks(id)).toBe(true);
  expect(speakers.verdict(id, lastAt + second, now)).toBe('publish');
  expect(speakers.verdict(id, lastAt - second, now)).toBe('skip');
});

test('what a machine sees while the one that speaks stands still is published once it speaks itself', () => {
  const { speakers, lastAt } = besideSpeaker();
  const wokenAt = lastAt + 5 * second;
  // It is still connected to the broker.
  speakers.decide([doorOf('b', 8)], wokenAt - second);
  expect(speakers.verdict(id, lastAt + 2 * second, wokenAt - second)).toBe('wait');
  speakers.hear('a', wokenAt);
  const now = wokenAt + second / 5;
  speakers.decide([doorOf('a', 0), doorOf('b', 8)], now);
  expect(speakers.verdict(id, lastAt + 2 * second, now)).toBe('publish');
  expect(speakers.verdict(id, lastAt - second, now)).toBe('skip');
});

test('what the next owner sees just before it speaks is published: lists may have its events already', () => {
  const { speakers, lastAt } = besideSpeaker();
  const now = lastAt + second / 5;
  speakers.decide([doorOf('a', 10), doorOf('b', 12)], now);
  expect(speakers.verdict(id, now - 0.3 * second, now)).toBe('publish');
  expect(speakers.verdict(id, now - second, now)).toBe('skip');
});
