/** Microseconds by which a camera's times may be off. */
const toleranceUs = 50_000;

/** Chooses frames by their times so that a rate is kept on average, whatever rate they come at. */
export class FrameRateLimit {
  /** Microseconds between two frames; 0 for every one. */
  readonly #periodUs: number;
  #dueUs = 0;

  /** @param rate frames a second, 0 for every one. */
  constructor(rate: number) {
    this.#periodUs = rate > 0 ? 1e6 / rate : 0;
  }

  /** Whether this frame is one of those. Called once for each, with times of any origin; after a step back it begins anew. */
  isDue(timeUs: number): boolean {
    const earlyUs = this.#dueUs - timeUs;
    if (earlyUs > Math.min(this.#periodUs / 4, toleranceUs) && earlyUs <= this.#periodUs) return false;
    const next = this.#dueUs + this.#periodUs;
    this.#dueUs = next > timeUs && earlyUs <= this.#periodUs ? next : timeUs + this.#periodUs;
    return true;
  }
}
