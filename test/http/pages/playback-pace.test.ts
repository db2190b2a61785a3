import { beforeEach, describe, expect, test } from 'vitest';
import { PlaybackPace } from '../../../http/pages/app/live/stream/playback-pace.ts';

describe('a live view', () => {
  let pace: PlaybackPace;
  beforeEach(() => {
    pace = new PlaybackPace();
  });

  test('plays on at its own speed while it is as close as it should be', () => {
    expect(pace.next(0.15, 0)).toEqual({ jump: false, rate: 1 });
    expect(pace.next(0.02, 0)).toEqual({ jump: false, rate: 1 });
  });

  test('plays a little faster when it is behind, and jumps when it is far behind', () => {
    expect(pace.next(0.25, 0).rate).toBeCloseTo(1.05);
    expect(pace.next(1, 0)).toEqual({ jump: false, rate: 1.1 });
    expect(pace.next(1.2, 0)).toEqual({ jump: true, rate: 1 });
  });

  test('keeps further ahead after two stalls within ten seconds, never more than a quarter of a second', () => {
    pace.stalled(0);
    pace.stalled(11_000);
    expect(pace.targetS).toBe(0.15);
    for (let at = 12_000; at < 60_000; at += 1000) pace.stalled(at);
    expect(pace.targetS).toBeCloseTo(0.4);
  });

  test('dares to be closer again when nothing stalls', () => {
    pace.stalled(0);
    pace.stalled(1000);
    expect(pace.targetS).toBeCloseTo(0.2);
    pace.next(0.2, 32_000);
    expect(pace.targetS).toBeCloseTo(0.15);
  });

  test('keeps more than the distance of two pictures of a slow camera', () => {
    pace.grown(2, 2);
    expect(pace.targetS).toBeCloseTo(1.55);
    expect(pace.next(1.55, 0)).toEqual({ jump: false, rate: 1 });
  });
});
