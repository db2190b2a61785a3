import { expect, test } from 'vitest';
import { stoppedMs } from './site-checker.ts';

test('a standstill counts as far as it is between a first picture and its file, and on its machine alone', () => {
  const span = { machine: 'a', start: 10_000, made: 19_000 };
  const still = (from: number, to: number, machine = 'a') => ({ machine, from, to });
  expect(stoppedMs(span, [still(10_500, 18_500)])).toBe(8000);
  expect(stoppedMs(span, [still(8000, 11_000), still(18_000, 30_000)])).toBe(2000);
  expect(stoppedMs(span, [still(1000, 9000), still(20_000, 25_000), still(11_000, 18_000, 'b')])).toBe(0);
});
