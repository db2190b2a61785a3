import { describe, expect, test } from 'vitest';
import { MediaClock } from '../../../pipelines/media/media-clock.ts';

const began = 1_700_000_000_000_000;
const second = 1_000_000;

describe('the media clock', () => {
  test('believes the arrival that was least delayed', () => {
    const clock = new MediaClock();
    const delays = [400_000, 90_000, 250_000, 30_000, 700_000];
    for (const [index, delay] of delays.entries()) {
      clock.observe(index * second, began + index * second + delay);
    }
    expect(clock.at(0)).toBe(began + 30_000);
    expect(clock.at(10 * second)).toBe(began + 10 * second + 30_000);
  });

  test('is not misled by what a camera sends at once when it is connected to', () => {
    const clock = new MediaClock();
    for (let media = 0; media <= 2 * second; media += 100_000) clock.observe(media, began + 2 * second);
    expect(clock.at(2 * second)).toBe(began + 2 * second);
  });

  test('remembers it for half a minute at least, however late the others are', () => {
    for (let good = 0; good <= 60; good += 1) {
      const clock = new MediaClock();
      for (let at = 0; at <= good + 29; at += 1) {
        clock.observe(at * second, began + at * second + (at === good ? 10_000 : 300_000));
      }
      expect(clock.at(0)).toBe(began + 10_000);
    }
  });

  test('follows a camera whose clock is slow', () => {
    const clock = new MediaClock();
    const drift = 1.0005;
    for (let wall = 0; wall < 3600 * second; wall += second) clock.observe(wall / drift, began + wall);
    const error = clock.at((3600 * second) / drift) - (began + 3600 * second);
    // Without a window it would be 1.8 s behind.
    expect(Math.abs(error)).toBeLessThan(40_000);
  });

  test.each([
    ['forward', 3600 * second],
    ['back', -3600 * second],
  ])('follows a wall clock that is set %s', (_, step) => {
    const clock = new MediaClock();
    for (let at = 0; at < 100 * second; at += second) clock.observe(at, began + at);
    for (let at = 100 * second; at < 200 * second; at += second) clock.observe(at, began + at + step);
    expect(clock.at(200 * second)).toBe(began + 200 * second + step);
  });
});
