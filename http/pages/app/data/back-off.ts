const firstMs = 500;
const longestMs = 15_000;

/** Waiting times that double, with a random part so that many pages do not come back at the same moment. */
export class BackOff {
  #failures = 0;

  next(): number {
    const waitMs = Math.min(longestMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    return waitMs * (0.75 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
