/** More than a camera that comes and goes needs in a day or two. */
const freeStarts = 200;
const sparingMs = 3600_000;

/**
 * How often the decoders of one process may start. Each start leaks descriptors and a quarter of a megabyte in the
 * addon, until the process ends. After so many there is one an hour at most: the recording in the same process goes on.
 */
export class DecoderBudget {
  #starts = 0;
  #nextMs = 0;

  /**
   * Takes a start out of the budget.
   *
   * @param nowMs of the monotonic clock
   * @returns milliseconds until there may be one; 0 for now.
   */
  take(nowMs: number): number {
    if (this.#starts >= freeStarts && nowMs < this.#nextMs) return this.#nextMs - nowMs;
    this.#starts += 1;
    this.#nextMs = nowMs + sparingMs;
    return 0;
  }
}
