import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Speakers } from '../../../../bus/mqtt/voice/speakers.ts';
import { Turns } from '../../../../bus/mqtt/voice/turns.ts';
import { houseSchedules } from '../../../support/house-schedules.ts';
import { type HouseSchedule, playHouse } from '../../../support/simulated-house.ts';

function expectNoFlaws(played: fc.Arbitrary<HouseSchedule>, numRuns: number): void {
  const property = fc.property(played, (schedule) => {
    expect(playHouse(schedule)).toEqual([]);
  });
  fc.assert(property, { numRuns });
}

test('whatever happens, what is seen is published, and one machine speaks when all is well', () => {
  expectNoFlaws(houseSchedules.faults, 150);
});

test('a clock that is set by half a minute before or after another fault leaves nothing unpublished', () => {
  expectNoFlaws(houseSchedules['a clock step before or after a fault'], 100);
});

// Who had the turn cannot always be said: of a time that no other clock has had, or that a machine knows nothing of.
test.each([
  ['a clock that is set by half a minute', houseSchedules['a clock step during a fault']],
  ['a recorder that stands still', houseSchedules['faults and standstills']],
])('%s during other faults hardly ever leaves anything unpublished', (_, played) => {
  const flawed: unknown[] = [];
  fc.assert(
    fc.property(played, (schedule) => {
      const flaws = playHouse(schedule);
      if (flaws.length > 0) flawed.push({ flaws, schedule });
    }),
    { numRuns: 100 },
  );
  expect(flawed.length, JSON.stringify(flawed)).toBeLessThanOrEqual(1);
});

test.each([
  [
    'a machine that does not reach the broker is said to publish from when the one before had its last pictures',
    {
      ...{
        seed: 1_996_001_028,
        machines: 3,
        clocks: [-371, 397, -392, 147],
        moves: [44_600, 18_100, 32_200],
      },
      faults: [
        { at: 20_850, lasts: 12_635, machine: 0, kind: 'alone' },
        { at: 44_569, lasts: 5325, machine: 0, kind: 'offline' },
      ],
    },
  ],
  [
    'what was seen while the clock was ahead is published when it is right again',
    {
      ...{ seed: 944_991_091, machines: 3, clocks: [-205, -312, 237, -209], moves: [18_200] },
      faults: [
        { at: 9139, lasts: 14_991, machine: 0, kind: 'ahead' },
        { at: 13_107, lasts: 11_749, machine: 0, kind: 'cut' },
      ],
    },
  ],
  [
    'what waited for the broker when its machine died is published after the next start',
    {
      ...{ seed: 1_511_238_500, machines: 2, clocks: [-6, 358, -315, -314] },
      moves: [41_800, 42_900, 12_100, 44_200],
      faults: [
        { at: 10_284, lasts: 9328, machine: 3, kind: 'dead' },
        { at: 40_502, lasts: 13_067, machine: 3, kind: 'dead' },
        { at: 34_281, lasts: 11_159, machine: 0, kind: 'cut' },
        { at: 42_771, lasts: 9909, machine: 0, kind: 'offline' },
        { at: 15_607, lasts: 12_302, machine: 0, kind: 'dead' },
        { at: 42_556, lasts: 9025, machine: 2, kind: 'dead' },
      ],
    },
  ],
  [
    'a machine that was to take over and was cut off before it could say so has its own events published',
    {
      ...{ seed: 230_528_680, machines: 3, clocks: [-4, -7, 15, 347], moves: [23_600, 27_100, 53_600] },
      faults: [
        { at: 8964, lasts: 12_610, machine: 0, kind: 'cut' },
        { at: 37_497, lasts: 14_254, machine: 2, kind: 'dead' },
        { at: 22_616, lasts: 7310, machine: 0, kind: 'cut' },
      ],
    },
  ],
  [
    'a machine that starts anew does not know until when it was there before',
    {
      ...{ seed: 1_878_387_747, machines: 2, clocks: [78, -161, 143, 399], moves: [] },
      faults: [
        { at: 15_480, lasts: 9751, machine: 1, kind: 'offline' },
        { at: 42_009, lasts: 12_967, machine: 2, kind: 'still' },
        { at: 12_885, lasts: 4838, machine: 2, kind: 'dead' },
      ],
    },
  ],
] satisfies [string, HouseSchedule][])('%s', (_, schedule) => {
  expect(playHouse(schedule)).toEqual([]);
});

const [id, second, beganAt] = ['door', 1e6, 1e12];
const doorOf = (machine: string, rank: number) => ({ machine, attends: [{ id, rank, streaming: true }] });

const doorClaim = { machine: 'a', rank: 10, streaming: true };

/** Machine b hears that a speaks, for ten seconds; both are at the broker. @returns what b decides, and when that was. */
function besideSpeaker() {
  const speakers = speakersOf('b');
  speakers.setConnected(true);
  speakers.setOnline('a', true, beganAt);
  speakers.learn(id, { ...doorClaim, turns: [{ machine: 'a', since: beganAt }] });
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

test('a claim that comes before the heartbeat of its machine is not answered with another one', () => {
  const [a, b] = ['a', 'b'].map((name) => {
    const speakers = speakersOf(name);
    speakers.setConnected(true);
    return speakers;
  }) as [Speakers, Speakers];
  a.setOnline('b', true, beganAt);
  b.setOnline('a', true, beganAt);
  for (let now = beganAt; now < beganAt + second; now += second / 20) {
    // Both record it, and b is not heard to do so yet.
    b.decide([doorOf('a', 10), doorOf('b', 12)], now);
    a.decide([doorOf('a', 10), { machine: 'b', attends: [] }], now);
    for (const [from, to] of [
      [b, a],
      [a, b],
    ] as const) {
      const claim = from.claim(id);
      if (claim) to.learn(id, claim);
    }
  }
  expect(b.claim(id)?.turns.length).toBeLessThan(5);
  expect(a.speaks(id)).toBe(false);
});

function speakersOf(machine: string): Speakers {
  return new Speakers({ machine, monitors: () => [{ id, isEnabled: true }], startedAt: beganAt });
}

test('a machine that starts without the broker does not say that all of the past was its own', () => {
  const speakers = speakersOf('b');
  speakers.decide([doorOf('b', 2)], beganAt + second);
  expect(speakers.claim(id)).toMatchObject({ machine: 'b', turns: [{ machine: '', since: 0 }] });
});

test.each([
  ['at least two seconds after the first picture', 2, 3],
  ['with the first event', 7.5, 7.5],
  ['ten seconds after the first picture, if nothing happens', undefined, 11],
])('a turn begins once detectors have begun: %s', (_, detectedS, sinceS) => {
  const speakers = speakersOf('b');
  for (let tenths = 10; tenths < 120; tenths += 2) {
    const now = beganAt + (tenths * second) / 10;
    if (detectedS !== undefined && now >= beganAt + detectedS * second)
      speakers.detected(id, beganAt + detectedS * second);
    speakers.decide([doorOf('b', 2)], now);
    const last = speakers.claim(id)?.turns.at(-1);
    if (tenths < (detectedS ?? sinceS) * 10) expect(last).toEqual({ machine: '', since: 0 });
  }
  expect(speakers.claim(id)?.turns.at(-1)).toEqual({ machine: 'b', since: beganAt + sinceS * second });
});

test('a machine that stood still before it detected anything has not had the turn meanwhile', () => {
  const speakers = speakersOf('b');
  for (const seconds of [1, 2, 23]) speakers.decide([doorOf('b', 2)], beganAt + seconds * second);
  expect(speakers.claim(id)?.turns.at(-1)).toEqual({ machine: 'b', since: beganAt + 23 * second });
});

test('what another machine cannot have judged is published: of a clock that was ahead, or left by a former start', () => {
  const { speakers, lastAt } = besideSpeaker();
  expect(speakers.verdict(id, lastAt + 5 * second, lastAt)).toBe('publish');
  expect(speakers.verdict(id, lastAt, lastAt)).toBe('wait');
  speakers.learn(id, {
    ...doorClaim,
    turns: [
      { machine: 'a', since: 0 },
      { machine: 'a', since: beganAt + 30 * second },
    ],
  });
  expect(speakers.verdict(id, beganAt - second, lastAt)).toBe('publish');
  expect(speakers.verdict(id, beganAt + second, lastAt)).toBe('skip');
});

test('all is judged again when the clock was set back', () => {
  const speakers = speakersOf('b');
  speakers.setConnected(true);
  speakers.decide([doorOf('b', 2)], beganAt + second);
  expect(speakers.decide([doorOf('b', 2)], beganAt + 2 * second)).toEqual([]);
  expect(speakers.decide([doorOf('b', 2)], beganAt - 30 * second)).toEqual([id]);
  expect(speakers.decide([doorOf('b', 2)], beganAt - 29 * second)).toEqual([]);
});

test('a turn of less than a second is good for two more as well', () => {
  const turns = new Turns();
  for (const [machine, since] of [
    ['a', 0],
    ['b', 100],
    ['a', 101],
  ] as const)
    turns.begin({ machine, since });
  expect(turns.hadIt('b', 99, 102)).toBe(true);
  expect(turns.hadIt('b', 101, 103)).toBe(false);
});
