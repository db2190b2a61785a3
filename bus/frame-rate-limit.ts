/** Jitter of a camera's timestamps, in microseconds. */
const jitterUs = 50_000;

/** How much early or late a picture may be at this distance of pictures. Both in microseconds. */
export const toleranceUs = (periodUs: number) => Math.min(periodUs / 4, jitterUs);

/** @param rates frames per second; 0 means every frame, and is the highest. Not empty. */
export const highestRate = (rates: readonly number[]): number => (rates.includes(0) ? 0 : Math.max(...rates));

/** Selects frames by their timestamps so that a rate is kept on average, whatever the rate of the input. */
export class FrameRateLimit {
  /** Microseconds between two frames; 0 for every one. */
  readonly #periodUs: number;
  #dueUs = 0;

  /** @param rate frames per second; 0 selects every frame. */
  constructor(rate: number) {
    this.#periodUs = rate > 0 ? 1e6 / rate : 0;
  }

  /** Whether this frame is selected. Called once per frame, with times of any origin; after a step back it starts anew. */
  isDue(timeUs: number): boolean {
    const earlyUs = this.#dueUs - timeUs;
    if (earlyUs > toleranceUs(this.#periodUs) && earlyUs <= this.#periodUs) return false;
    const next = this.#dueUs + this.#periodUs;
    this.#dueUs = next > timeUs && earlyUs <= this.#periodUs ? next : timeUs + this.#periodUs;
    return true;
  }

  /**
   * The same for frames that are few: one is selected also if the next would be too late, so that no two selected ones are
   * further apart than the rate says.
   *
   * @param nextInUs microseconds until the next frame
   */
  isDueBefore(timeUs: number, nextInUs: number): boolean {
    const earlyUs = this.#dueUs - timeUs;
    const tolerance = toleranceUs(this.#periodUs);
    if (earlyUs > tolerance && earlyUs >= nextInUs - tolerance && earlyUs <= this.#periodUs) return false;
    this.#dueUs = timeUs + this.#periodUs;
    return true;
  }

  /** Whether a frame should have been selected before this moment. */
  isOverdue(timeUs: number): boolean {
    return timeUs - this.#dueUs > toleranceUs(this.#periodUs);
  }
}
