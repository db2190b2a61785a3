import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecodeTimes } from '../../../pipelines/media/decode-times.ts';

const period = 6000;

/** Pictures in the order in which an encoder sends them: each reference before those shown between it and the last. */
function sent(groups: readonly number[]): number[] {
  let shown = 0;
  const others = groups.flatMap((between) => {
    const first = shown + 1;
    shown += between + 1;
    return [shown, ...Array.from({ length: between }, (_, n) => first + n)];
  });
  return [0, ...others].map((n) => n * period);
}

function decode(times: readonly number[], known: number): number[] {
  const decodeTimes = new DecodeTimes();
  for (const time of times.slice(0, known)) decodeTimes.learn(time);
  return times.map((time, n) => {
    if (n >= known) decodeTimes.learn(time);
    return decodeTimes.next(time);
  });
}

test('without reordering, decode times are the times of showing', () => {
  const times = sent(new Array(50).fill(0));
  expect(decode(times, 0)).toEqual(times);
});

test('decode times rise strictly, and keep the rhythm once the order is known', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 8, maxLength: 60 }), (groups) => {
      const times = sent(groups);
      const rising = (all: readonly number[]) => all.every((time, n) => n === 0 || time > (all[n - 1] ?? 0));
      expect(rising(decode(times, 0))).toBe(true);
      const known = decode(times, times.length);
      expect(rising(known)).toBe(true);
      for (const [n, time] of times.entries()) expect(known[n] ?? 0).toBeLessThanOrEqual(time);
      for (const [n, time] of known.entries()) {
        if (n > 0) expect(time - (known[n - 1] ?? 0)).toBe(period);
      }
    }),
  );
});

test('times that are no order at all still rise', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { maxLength: 200 }), (times) => {
      const out = decode(times, 0);
      expect(out.every((time, n) => n === 0 || time > (out[n - 1] ?? 0))).toBe(true);
    }),
  );
});
