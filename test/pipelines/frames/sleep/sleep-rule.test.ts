import { expect, test } from 'vitest';
import { SleepRule } from '../../../../pipelines/frames/sleep/sleep-rule.ts';

const perSecond = 10;
const perGroup = 20;
const pictureUs = 1e6 / perSecond;
const dayUs = 24 * 3600e6;

/** A camera of 640×360 whose quiet P-frames have `usual` bytes, give or take `scatter`. */
function camera({ scatter = 8, group = perGroup, leastShare = 0.003, usual = 100 } = {}) {
  const rule = new SleepRule(leastShare);
  let number = 0;
  let random = 7;
  const play = (seconds: number, moreBytes = 0) => {
    for (let n = 0; n < seconds * perSecond; n += 1) {
      random = (random * 16_807) % 2_147_483_647;
      const keyFrame = number % group === 0;
      const bytes = keyFrame
        ? 20_000
        : usual + moreBytes + Math.round((random / 2_147_483_647 - 0.5) * 2 * scatter);
      rule.push({ keyFrame, bytes, timeUs: number * pictureUs, width: 640, height: 360 });
      number += 1;
    }
  };
  /** Nothing comes for so long. */
  const skip = (seconds: number) => {
    number += seconds * perSecond;
  };
  return { rule, play, skip, nowUs: () => (number - 1) * pictureUs };
}

test('a steady camera sleeps when nothing moves, and for as long', () => {
  const { rule, play } = camera();
  play(5);
  expect(rule.counts).toMatchObject({ isAsleep: false, refused: null });
  play(55);
  expect(rule.counts).toMatchObject({ isAsleep: true, refused: null, wakes: 0, missed: 0 });
  const { asleepUs } = rule.counts;
  play(10);
  expect(rule.counts.asleepUs - asleepUs).toBe(10e6);
});

test.each([
  ['scatter as much as motion adds', { scatter: 60 }, 'noise'],
  ['belong to groups of more than four seconds', { group: 60 }, 'groups'],
  ['have no key frame but the first', { group: 100_000 }, 'groups'],
  ['would have to show the smallest change', { leastShare: 0.0001 }, 'noise'],
  ['are too large to be sent again at once', { usual: 220_000 }, 'size'],
] as const)('a camera never sleeps whose pictures %s', (_, of, refused) => {
  const { rule, play } = camera(of);
  play(300);
  expect(rule.counts).toMatchObject({ isAsleep: false, asleepUs: 0, refused });
});

test('what others say keeps it awake as well, and is no wake-up', () => {
  const { rule, play } = camera();
  play(60);
  expect(rule.isAsleep).toBe(true);
  rule.hinder('frames');
  const { asleepUs } = rule.counts;
  play(10);
  expect(rule.counts).toMatchObject({ isAsleep: false, asleepUs, wakes: 0, refused: 'frames' });
  rule.hinder(null);
  play(0.1);
  expect(rule.isAsleep).toBe(true);
});

test('three pictures that are larger than the motion that counts wake it up, within the group', () => {
  const { rule, play, nowUs } = camera();
  play(60.5);
  play(0.2, 65);
  expect(rule.isAsleep).toBe(true);
  play(0.1, 65);
  expect(rule.counts).toMatchObject({ isAsleep: false, wakes: 1 });
  rule.noteMotion(nowUs());
  play(4);
  expect(rule.isAsleep).toBe(false);
  play(10);
  expect(rule.counts).toMatchObject({ isAsleep: true, missed: 0 });
});

test('motion that begins just before a key frame is found by key frames, and is no miss if the sizes show it after that', () => {
  const { rule, play, nowUs } = camera();
  play(61.9);
  rule.noteMotion(nowUs());
  play(0.2);
  expect(rule.isAsleep).toBe(false);
  play(2, 120);
  play(12);
  expect(rule.counts).toMatchObject({ isAsleep: true, wakes: 1, missed: 0 });
});

test('motion that the sizes do not show is a miss: it stays awake for a day', () => {
  const { rule, play, skip, nowUs } = camera();
  play(60.5);
  rule.noteMotion(nowUs());
  play(1);
  expect(rule.counts).toMatchObject({ isAsleep: true, missed: 0 });
  play(1);
  expect(rule.counts).toMatchObject({ isAsleep: false, wakes: 1, missed: 0 });
  play(1);
  expect(rule.counts).toMatchObject({ isAsleep: false, wakes: 1, missed: 1, refused: 'miss' });
  const { asleepUs } = rule.counts;
  skip(dayUs / 1e6 - 40);
  play(30);
  expect(rule.counts.asleepUs).toBe(asleepUs);
  play(30);
  expect(rule.isAsleep).toBe(true);
});

test('a camera that sends no more key frames is woken up, and one whose connection ends', () => {
  const late = camera();
  late.play(60);
  for (let n = 0; n < 60; n += 1)
    late.rule.push({
      keyFrame: false,
      bytes: 100,
      timeUs: late.nowUs() + n * pictureUs,
      width: 640,
      height: 360,
    });
  expect(late.rule.counts).toMatchObject({ isAsleep: false, wakes: 1 });

  const { rule, play } = camera();
  play(60);
  rule.interrupt();
  expect(rule.isAsleep).toBe(false);
  play(12);
  expect(rule.isAsleep).toBe(true);
});
