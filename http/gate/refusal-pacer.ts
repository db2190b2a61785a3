/** Refusals that go out between two looks at the network. */
const perTurn = 8;

/**
 * Keeps what is done for strangers from delaying everybody else: of many that come at once, a few go on, then all
 * other work has its turn, and so on.
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
