import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TimeJump, TimeLine } from '../../../pipelines/media/time-line.ts';

const second = 90_000;

interface Camera {
  readonly rate: number;
  /** By how much each arrival is late, in milliseconds. */
  readonly delays: readonly number[];
  readonly pictures: number;
  /** What is done to the timestamp of the n-th picture, in seconds. */
  readonly spoil: (n: number) => number;
}

/** Plays a camera, and returns where each picture was placed relative to when it was taken, in seconds. */
function play({ rate, delays, pictures, spoil }: Camera) {
  const jumps: TimeJump[] = [];
  const line = new TimeLine(second, (jump) => jumps.push(jump));
  const times: number[] = [];
  const errors: number[] = [];
  let arrived = 0;
  for (let n = 0; n < pictures; n += 1) {
    const taken = n / rate;
    arrived = Math.max(arrived, taken + (delays[n % delays.length] ?? 0) / 1000);
    const timestamp = Math.round((taken + spoil(n)) * second) + 123_456_789;
    const time = line.place(timestamp, 5000 + arrived * 1000);
    times.push(time);
    errors.push(time / second - 5 - taken);
  }
  return { jumps, times, errors };
}

const rates = fc.constantFrom(1, 5, 10, 15, 25, 30);
const delays = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 40 });
const growing = (times: readonly number[]) => times.every((time, n) => n === 0 || time > (times[n - 1] ?? 0));

describe('a time line', () => {
  test('keeps the distances of a camera whose clock is right, to the tick', () => {
    fc.assert(
      fc.property(rates, delays, (rate, late) => {
        const { jumps, times } = play({ rate, delays: late, pictures: 200, spoil: () => 0 });
        expect(jumps).toEqual([]);
        const first = times[0] ?? 0;
        for (const [n, time] of times.entries()) {
          expect(Math.abs(time - first - (n / rate) * second)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test.each([2, -2, 20, -20, 3600, -3600, 40_000])(
    'goes on when the clock jumps by %d s, and says so once',
    (size) => {
      fc.assert(
        fc.property(rates, delays, fc.integer({ min: 20, max: 80 }), (rate, late, at) => {
          const camera = { rate, delays: late, pictures: 160, spoil: (n: number) => (n < at ? 0 : size) };
          const { jumps, times, errors } = play(camera);
          expect(growing(times)).toBe(true);
          for (const error of errors) expect(Math.abs(error)).toBeLessThan(1);
          expect(jumps).toHaveLength(1);
          expect(jumps[0]?.what).toBe('clock');
          expect(Math.abs((jumps[0]?.seconds ?? 0) - size)).toBeLessThan(1);
        }),
      );
    },
  );

  test.each([5, -5, 60, -60, 3600])('places a single picture that is %d s off, and says so once', (size) => {
    fc.assert(
      fc.property(rates, delays, fc.integer({ min: 20, max: 80 }), (rate, late, at) => {
        const camera = { rate, delays: late, pictures: 160, spoil: (n: number) => (n === at ? size : 0) };
        const { jumps, times, errors } = play(camera);
        expect(growing(times)).toBe(true);
        for (const error of errors) expect(Math.abs(error)).toBeLessThan(1);
        expect(jumps).toEqual([{ what: 'picture', seconds: expect.closeTo(size, 0) }]);
      }),
    );
  });

  test('follows the arrivals whatever the timestamps are', () => {
    const stamps = fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(rates, stamps, (rate, seconds) => {
        const spoil = (n: number) => (seconds[n % seconds.length] ?? 0) / second;
        const { times, errors } = play({ rate, delays: [0], pictures: 300, spoil });
        expect(growing(times)).toBe(true);
        for (const error of errors) expect(Math.abs(error)).toBeLessThan(11);
      }),
    );
  });

  test('places by arrival what is always stamped the same', () => {
    const { jumps, errors } = play({ rate: 10, delays: [0, 20], pictures: 600, spoil: (n) => -n / 10 });
    expect(jumps).toEqual([]);
    for (const error of errors) expect(Math.abs(error)).toBeLessThan(0.1);
  });

  test('lets pictures be sent before those that are shown earlier', () => {
    const jumps: TimeJump[] = [];
    const line = new TimeLine(second, (jump) => jumps.push(jump));
    // I P B B, twenty times a second.
    const order = Array.from({ length: 100 }, (_, n) => n * 3).flatMap((n) => [n + 3, n + 1, n + 2]);
    const times = order.map((n, index) => {
      const ticks = n * (second / 20);
      return line.place(ticks, 1000 + index * 50, n % 3 !== 0) - ticks;
    });
    expect(new Set(times).size).toBe(1);
    expect(jumps).toEqual([]);
  });

  test('takes a burst of what happened before for what it is', () => {
    const jumps: TimeJump[] = [];
    const line = new TimeLine(second, (jump) => jumps.push(jump));
    // The last four seconds at once, then one picture after the other.
    const times = Array.from({ length: 100 }, (_, n) =>
      line.place((n / 10) * second, 1000 + Math.max(0, n - 40) * 100),
    );
    expect(jumps).toEqual([]);
    expect(times.at(-1)).toBe((times[0] ?? 0) + 9.9 * second);
  });
});
