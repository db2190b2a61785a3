/** Each half of the window in which the least delayed arrival is looked for, in microseconds. */
const halfWindow = 30_000_000;

/**
 * Tells when something was recorded, from media times that count from an unknown moment.
 *
 * Data never arrives early, only late: delayed by the network, a decoder or a busy machine. So the
 * arrival that was least delayed among those of the last minute shows best how the two clocks lie. The window
 * lets the estimate follow a camera's clock that drifts, and a wall clock that is set.
 */
export class MediaClock {
  /** The smallest differences, wall minus media, of the current and of the last half window. */
  #current = Number.POSITIVE_INFINITY;
  #last = Number.POSITIVE_INFINITY;
  #begin = 0;

  /** Something that was complete at `media` has arrived at `wall`; both in microseconds. */
  observe(media: number, wall: number): void {
    const elapsed = wall - this.#begin;
    // A wall clock that was set back, too, begins a new half.
    if (elapsed >= halfWindow || elapsed < 0) {
      const stale = elapsed >= 2 * halfWindow || elapsed < 0;
      this.#last = stale ? Number.POSITIVE_INFINITY : this.#current;
      this.#current = Number.POSITIVE_INFINITY;
      this.#begin = wall;
    }
    this.#current = Math.min(this.#current, wall - media);
  }

  /** Unix time of a media time, in microseconds. At least one arrival must have been observed. */
  at(media: number): number {
    return Math.round(media + Math.min(this.#current, this.#last));
  }
}
