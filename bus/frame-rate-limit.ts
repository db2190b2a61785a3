/** Jitter of a camera's timestamps, in microseconds. */
const toleranceUs = 50_000;

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
    if (earlyUs > Math.min(this.#periodUs / 4, toleranceUs) && earlyUs <= this.#periodUs) return false;
    const next = this.#dueUs + this.#periodUs;
    this.#dueUs = next > timeUs && earlyUs <= this.#periodUs ? next : timeUs + this.#periodUs;
    return true;
  }
}
