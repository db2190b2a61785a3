/** Refusals per turn of the event loop. */
const perTurn = 8;

/**
 * Keeps a flood of refused requests from delaying the others: a few refusals are sent per turn of the event loop,
 * then all other pending work runs.
 */
export class RefusalPacer {
  readonly #waiting: (() => void)[] = [];

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    for (const resolve of this.#waiting.splice(0, perTurn)) resolve();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}
