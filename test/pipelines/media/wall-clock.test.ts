import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClockReading, MachineClock } from '../../../bus/base/machine-clock.ts';
import { TimeLine } from '../../../pipelines/media/time-line.ts';
import { videoTicksPerSecond } from '../../../pipelines/media/unit.ts';
import { WallClock } from '../../../pipelines/media/wall-clock.ts';

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
const unixUs = 1_700_000_000 * second;
/** Of the monotonic clock, when the first picture is taken. */
const beganUs = 5 * second;

interface Camera {
  /** How much faster its clock is than the monotonic one. */
  readonly drift: number;
  readonly lengthUs: number;
  readonly rate?: number;
  /** By how much pictures arrive late, in microseconds, one after the other. */
  readonly delays: readonly number[];
  /** By how much the machine's clock is wrong, after so many microseconds. */
  readonly machine?: (afterUs: number) => number;
  /** Pictures of before that come at once with the first one, in microseconds. */
  readonly burstUs?: number;
}

interface Fragment {
  /** After the first picture, when it was taken in truth, in microseconds of the monotonic clock. */
  readonly trueUs: number;
  readonly lengthUs: number;
  /** What the clock says: of the monotonic clock. */
  readonly fromUs: number;
  readonly toUs: number;
  readonly offsetUs: number;
}

/** Plays a camera in no time. @returns its fragments of a second, as a recording would time them */
function play({ drift, lengthUs, rate = 10, delays, machine = () => 0, burstUs = 0 }: Camera): Fragment[] {
  let now = beganUs;
  const read = (): ClockReading => ({ wallUs: unixUs + now + machine(now - beganUs), monotonicUs: now });
  const clock = new WallClock(new MachineClock(read));
  const fragments: Fragment[] = [];
  const mediaOf = (n: number) => 77 * second + (n * second) / rate;
  const trueOf = (n: number) => (n * second) / rate / (1 + drift);
  let begin = 0;
  for (let n = 0; trueOf(n) < lengthUs; n += 1) {
    const arrived = beganUs + Math.max(trueOf(n), burstUs) + (delays[n % delays.length] ?? 0);
    now = Math.max(now, arrived);
    clock.observe(mediaOf(n), now / 1000);
    if (n - begin < rate) continue;
    fragments.push({
      trueUs: beganUs + trueOf(begin),
      lengthUs: mediaOf(n) - mediaOf(begin),
      fromUs: clock.monotonicUs(mediaOf(begin)),
      toUs: clock.monotonicUs(mediaOf(n)),
      offsetUs: clock.offsetUs,
    });
    begin = n;
  }
  return fragments;
}

/** No picture is recorded twice, none is left out, and lengths are the camera's within so many millionths. */
function expectSlewed(fragments: readonly Fragment[], maxPpm = 500): void {
  for (const [index, { fromUs, toUs, lengthUs }] of fragments.entries()) {
    if (index > 0 && fromUs !== fragments[index - 1]?.toUs)
      throw new Error(`fragment ${index} does not follow`);
    // Times are whole microseconds.
    const ppm = Math.abs((toUs - fromUs) / lengthUs - 1) * 1e6 - 2;
    if (ppm > maxPpm) throw new Error(`fragment ${index} is off by ${ppm} ppm`);
  }
}

const errors = (fragments: readonly Fragment[], fromUs = 0, toUs = Number.POSITIVE_INFINITY) =>
  fragments
    .filter(({ trueUs }) => trueUs - beganUs >= fromUs && trueUs - beganUs < toUs)
    .map((one) => one.fromUs - one.trueUs);
const worst = (values: readonly number[]) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** As a network has them: none is less than 5 ms late. */
const delays = fc.array(fc.integer({ min: 5000, max: 80_000 }), { minLength: 50, maxLength: 100 });

describe('the wall clock of a stream', () => {
  test.each([300, -300])('follows a camera whose clock is wrong by %d ppm for six hours', (ppm) => {
    fc.assert(
      fc.property(delays, (late) => {
        const fragments = play({ drift: ppm / 1e6, lengthUs: 6 * hour, delays: late });
        expectSlewed(fragments);
        // The camera's clock is 6.5 s off at the end.
        expect(worst(errors(fragments))).toBeLessThan(100_000);
        expect(worst(errors(fragments, 5 * minute))).toBeLessThan(50_000);
      }),
      { numRuns: 3 },
    );
  });

  test('lengths are the camera’s where it keeps time, however late its pictures are', () => {
    fc.assert(
      fc.property(delays, (late) => {
        const fragments = play({ drift: 0, lengthUs: 20 * minute, delays: late });
        expectSlewed(fragments);
        expectSlewed(
          fragments.filter(({ trueUs }) => trueUs > beganUs + 10 * minute),
          60,
        );
      }),
      { numRuns: 20 },
    );
  });

  test('follows a camera that is 4 % too fast, with no time twice', () => {
    for (const drift of [0.04, -0.04]) {
      const fragments = play({ drift, lengthUs: hour, delays: [10_000, 60_000] });
      expectSlewed(fragments, 50_000);
      // The least delayed arrival of the last minute is a minute old where the camera is slow.
      expect(worst(errors(fragments, minute))).toBeLessThan(4 * second);
    }
  });

  test.each([0.5, 0.8, 0.84, 0.9, 1.1, 1.2, 2])(
    'stays near the arrivals of a camera whose stamps go on at %d times the rate of time, with no time twice',
    (factor) => {
      const rate = 10;
      let now = beganUs;
      const clock = new WallClock(new MachineClock(() => ({ wallUs: unixUs + now, monotonicUs: now })));
      const line = new TimeLine(videoTicksPerSecond, () => {});
      let [last, furthest] = [Number.NEGATIVE_INFINITY, 0];
      for (let n = 0; n < (rate * hour) / second; n += 1) {
        now = beganUs + (n * second) / rate + (n % 2) * 50_000;
        const ticks = line.place(Math.round((n * factor * videoTicksPerSecond) / rate), now / 1000);
        const mediaUs = (ticks * 1e6) / videoTicksPerSecond;
        clock.observe(mediaUs, now / 1000);
        const takenUs = clock.monotonicUs(mediaUs);
        if (takenUs <= last) throw new Error(`picture ${n} is not after the one before`);
        last = takenUs;
        furthest = Math.max(furthest, Math.abs(takenUs - now));
      }
      expect(furthest).toBeLessThan(30 * second);
    },
  );

  test('is right a minute after a camera has begun with the last five seconds at once', () => {
    const fragments = play({ drift: 0, lengthUs: 10 * minute, delays: [10_000], burstUs: 5 * second });
    expectSlewed(fragments, 50_000);
    expect(worst(errors(fragments, 3 * minute))).toBeLessThan(60_000);
  });

  test('keeps lengths and order when the machine’s clock is set, and is right at once', () => {
    const size = fc.oneof(
      fc.integer({ min: 600_000, max: 10 * second }),
      fc.integer({ min: -60 * second, max: -11 * second }),
      fc.integer({ min: -72, max: 72 }).map((hours) => (hours || 1) * hour),
      fc.constantFrom(50 * 365 * 24 * hour, -50 * 365 * 24 * hour),
    );
    fc.assert(
      fc.property(delays, size, fc.integer({ min: 60, max: 500 }), (late, us, after) => {
        const machine = (afterUs: number) => (afterUs < after * second ? 0 : us);
        const fragments = play({ drift: 100e-6, lengthUs: 10 * minute, delays: late, machine });
        expectSlewed(fragments);
        const wrong = fragments.map(({ trueUs, fromUs, offsetUs }) => {
          const afterUs = trueUs - beganUs;
          // A fragment is complete a second later.
          if (Math.abs(afterUs - after * second) < 1.5 * second) return 0;
          return fromUs + offsetUs - (unixUs + trueUs + machine(afterUs));
        });
        expect(worst(wrong)).toBeLessThan(120_000);
        expect(new Set(fragments.map(({ offsetUs }) => offsetUs)).size).toBe(2);
      }),
      { numRuns: 30 },
    );
  });

  test('has no time twice when the machine’s clock is set back by some seconds, and is right again in minutes', () => {
    const size = fc.integer({ min: 600_000, max: 10 * second });
    fc.assert(
      fc.property(delays, size, fc.integer({ min: 60, max: 120 }), (late, us, after) => {
        const machine = (afterUs: number) => (afterUs < after * second ? 0 : -us);
        const fragments = play({ drift: 100e-6, lengthUs: 8 * minute, delays: late, machine });
        expectSlewed(fragments, 50_000);
        expect(new Set(fragments.map(({ offsetUs }) => offsetUs)).size).toBe(1);
        const last = errors(fragments, after * second + 5 * minute);
        expect(worst(last.map((error) => error + us))).toBeLessThan(120_000);
      }),
      { numRuns: 20 },
    );
  });

  test('is right at once when the machine’s clock is set back by some seconds, and ahead again', () => {
    const size = fc.integer({ min: 600_000, max: 10 * second });
    fc.assert(
      fc.property(delays, size, fc.integer({ min: 2, max: 300 }), (late, us, forS) => {
        const end = minute + forS * second;
        const machine = (afterUs: number) => (afterUs >= minute && afterUs < end ? -us : 0);
        const fragments = play({ drift: 100e-6, lengthUs: 8 * minute, delays: late, machine });
        expectSlewed(fragments, 50_000);
        const wrong = fragments
          .filter(({ trueUs }) => trueUs - beganUs > end + 1.5 * second)
          .map(({ trueUs, fromUs, offsetUs }) => fromUs + offsetUs - (unixUs + trueUs));
        expect(worst(wrong)).toBeLessThan(120_000);
      }),
      { numRuns: 20 },
    );
  });

  test('says how far it is ahead while it follows a clock that was set back', () => {
    let [now, wrongUs] = [beganUs, 0];
    const clock = new WallClock(
      new MachineClock(() => ({ wallUs: unixUs + now + wrongUs, monotonicUs: now })),
    );
    const leads: number[] = [];
    for (let n = 0; n < 3000; n += 1, now += second / 10) {
      if (n === 100) wrongUs = -4 * second;
      clock.observe(now, now / 1000);
      // What is seen has the right time at once.
      expect(Math.abs(clock.at(now) - (unixUs + now + wrongUs))).toBeLessThan(1000);
      expect(clock.monotonicUs(now) + clock.offsetUs - clock.leadUs).toBe(clock.at(now));
      leads.push(clock.leadUs);
    }
    expect([leads[99], leads[100], leads.at(-1)]).toEqual([
      0,
      4 * second,
      expect.toSatisfy((us: number) => us < 20_000),
    ]);
    expect(leads.slice(100)).toEqual(leads.slice(100).toSorted((a, b) => b - a));
  });

  test('follows a small correction of the machine’s clock with 500 ppm', () => {
    const machine = (afterUs: number) => (afterUs < 60 * second ? 0 : -200_000);
    const fragments = play({ drift: 0, lengthUs: hour, delays: [10_000], machine });
    expectSlewed(fragments);
    expect(new Set(fragments.map(({ offsetUs }) => offsetUs)).size).toBe(1);
    const last = errors(fragments, 50 * minute);
    expect(worst(last.map((error) => error + 200_000))).toBeLessThan(20_000);
  });

  test('is not misled by a network that holds everything up for a while', () => {
    const late = Array.from({ length: 600 }, (_, n) =>
      n < 300 ? 10_000 : Math.max(10_000, (330 - n) * 100_000),
    );
    const fragments = play({ drift: 0, lengthUs: 2 * minute, delays: late });
    expectSlewed(fragments);
    expect(worst(errors(fragments))).toBeLessThan(30_000);
  });
});
