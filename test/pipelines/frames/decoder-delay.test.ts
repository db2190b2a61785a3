import { expect, test } from 'vitest';
import { DecoderDelay } from '../../../pipelines/frames/decoder-delay.ts';

const secondUs = 1e6;

test('a decoder that shows four pictures in a row late counts as delayed for ten minutes', () => {
  const delay = new DecoderDelay();
  for (let picture = 0; picture < 3; picture += 1) delay.note(false, picture * secondUs);
  expect(delay.isDelayed(3 * secondUs)).toBe(false);
  delay.note(false, 3 * secondUs);
  expect(delay.isDelayed(4 * secondUs)).toBe(true);
  expect(delay.isDelayed(602 * secondUs)).toBe(true);
  expect(delay.isDelayed(604 * secondUs)).toBe(false);
});

test('a busy machine, on which now and then a picture is late, is none', () => {
  const delay = new DecoderDelay();
  for (let picture = 0; picture < 100; picture += 1) delay.note(picture % 4 === 0, picture * secondUs);
  expect(delay.isDelayed(100 * secondUs)).toBe(false);
});

test('a decoder that was late while the machine was busy is given a chance soon, and ever later if it is late again', () => {
  const delay = new DecoderDelay(15 * secondUs);
  let second = 0;
  const ends: number[] = [];
  // It is late for two minutes.
  for (let was = false; second < 3600; second += 1) {
    delay.note(second >= 120 || delay.isDelayed(second * secondUs), second * secondUs);
    const is = delay.isDelayed(second * secondUs);
    if (was && !is) ends.push(second);
    was = is;
  }
  expect(ends).toEqual([18, 51, 114, 237]);
  for (let n = 0; n < 4; n += 1, second += 1) delay.note(false, second * secondUs);
  expect(delay.isDelayed((second + 13) * secondUs)).toBe(true);
  expect(delay.isDelayed((second + 15) * secondUs)).toBe(false);
});
