import { nowUs } from '../../../bus/base/time.ts';

/** Microseconds that the newest entry may be ahead of the clock. */
export const maxAheadUs = 60_000_000;

/**
 * Whether an entry is older than the last one because the clock was set back, and the times were corrected: otherwise times only
 * grow. Unix times in microseconds.
 */
export const isAfterCorrection = (last: number, time: number): boolean =>
  last > nowUs() + maxAheadUs && time < last - maxAheadUs;

/** Where the times of the log are wrong: the newest entries were written while the clock was ahead. Unix times in microseconds. */
export interface LogTimes {
  readonly now: number;
  /** Of the newest entry. */
  readonly newest: number;
  /** Of the newest one of an earlier run of the recorder. */
  readonly earlier: number;
}
