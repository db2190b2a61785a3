import { toleranceUs } from '../../bus/frame-rate-limit.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import { DecoderDelay } from './decoder-delay.ts';
import type { DecoderUnit } from './decoder-unit.ts';

/** So many groups in a row must be short enough. */
const groups = 4;
const usPerTick = 1e6 / videoTicksPerSecond;

/**
 * Knows whether key frames alone are enough for a rate of frames: whether they have come often enough of late, and whether
 * the decoder shows them without what follows.
 */
export class KeyFramePace {
  /** Microseconds, the newest last. */
  #distances: number[] = [];
  #lastUs: number | undefined;
  readonly #delay = new DecoderDelay();

  /** To be called with each picture. */
  push({ keyFrame, time }: Pick<DecoderUnit, 'keyFrame' | 'time'>): void {
    if (!keyFrame) return;
    const timeUs = time * usPerTick;
    if (this.#lastUs !== undefined)
      this.#distances = [...this.#distances, timeUs - this.#lastUs].slice(-groups);
    this.#lastUs = timeUs;
  }

  /**
   * Microseconds until the next key frame, of which frames at most so far apart can be made without decoding others; 0 if
   * they cannot.
   *
   * @param periodUs 0 when every picture is wanted
   */
  distanceUs(periodUs: number): number {
    const longest = Math.max(...this.#distances);
    const isEnough =
      this.#distances.length === groups &&
      Math.min(...this.#distances) > 0 &&
      longest <= periodUs + toleranceUs(periodUs) &&
      !this.#delay.isDelayed(this.#lastUs ?? 0);
    return isEnough ? longest : 0;
  }

  /** @param isSeen whether a key frame that was decoded alone was shown before the next one came */
  note(isSeen: boolean): void {
    this.#delay.note(isSeen, this.#lastUs ?? 0);
  }
}
