import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AudioSync } from '../../../pipelines/media/audio-sync.ts';

const second = 1_000_000;
/** 2026-11-25 */
const day = Date.UTC(2026, 10, 25) * 1000;

interface Camera {
  /** By how much the arrivals of the two tracks placed the audio too late. */
  readonly lateUs: number;
  readonly seconds: number;
  readonly reportEverySeconds?: number;
  /** How far the camera's clock is off, by the time of the report. */
  readonly clockErrorUs?: (second: number) => number;
  /** In a report of the audio alone. */
  readonly audioErrorUs?: (second: number) => number;
}

/** @returns by how much each tenth of a second of audio is late in the end */
function play(camera: Camera): number[] {
  const { lateUs, seconds, reportEverySeconds = 5, clockErrorUs = () => 0, audioErrorUs = () => 0 } = camera;
  const sync = new AudioSync();
  const errors: number[] = [];
  for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
    const now = tenth * (second / 10);
    const at = tenth / 10;
    if (tenth % (reportEverySeconds * 10) === 0) sync.report('video', now, day + now + clockErrorUs(at));
    if (tenth % (reportEverySeconds * 10) === 3) {
      sync.report('audio', now + lateUs, day + now + clockErrorUs(at) + audioErrorUs(at));
    }
    errors.push(sync.correct(now + lateUs) - now);
  }
  return errors;
}

const lateness = fc.integer({ min: -2_900_000, max: 2_900_000 });

describe('audio', () => {
  test('is in step from the first report of both tracks on', () => {
    fc.assert(
      fc.property(lateness, (lateUs) => {
        const errors = play({ lateUs, seconds: 60 });
        expect(errors[0]).toBe(lateUs);
        for (const error of errors.slice(3)) expect(Math.abs(error)).toBeLessThan(1);
      }),
    );
  });

  test('stays in step when the clock of the camera is set', () => {
    const jumps = fc.integer({ min: -86_400, max: 86_400 });
    fc.assert(
      fc.property(lateness, jumps, fc.integer({ min: 10, max: 40 }), (lateUs, jump, at) => {
        const clockErrorUs = (now: number) => (now < at + 0.2 ? 0 : jump * second);
        const errors = play({ lateUs, seconds: 60, clockErrorUs });
        for (const error of errors.slice(3)) expect(Math.abs(error)).toBeLessThan(1);
      }),
    );
  });

  test('is left where it arrived when the reports contradict the arrivals', () => {
    const errors = play({ lateUs: 200_000, seconds: 60, audioErrorUs: () => 3600 * second });
    for (const error of errors) expect(error).toBe(200_000);
  });

  test('follows what changes without a jump, and never goes back', () => {
    const audioErrorUs = (now: number) => (now < 20 ? 0 : 400_000);
    const errors = play({ lateUs: 100_000, seconds: 60, audioErrorUs });
    const steps = errors.slice(4).map((error, n) => error - (errors[n + 3] ?? 0));
    for (const step of steps) expect(Math.abs(step)).toBeLessThanOrEqual(second / 10 / 16 + 1);
    expect(errors.at(-1)).toBeCloseTo(400_000, -1);
  });

  test('is not corrected by reports of one track, nor before the tracks have begun', () => {
    const sync = new AudioSync();
    sync.report('video', 1000, day);
    sync.report('video', 2000, day + 1000);
    sync.report('audio', undefined, day);
    expect(sync.correct(5000)).toBe(5000);
  });
});
