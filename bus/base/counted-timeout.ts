/** Of so many parts a time-out consists: a suspension takes one of them at most. */
const parts = 10;

/**
 * A time-out that counts in how many of its parts this process ran, instead of measuring when it began. A machine or
 * a process that was suspended has heard nothing meanwhile, and what came meanwhile is read before it expires.
 */
export class CountedTimeout {
  readonly #ms: number;
  readonly #onExpire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #passed = 0;

  /** @param onExpire is called once per start, when nothing restarted or stopped it for so many milliseconds. */
  constructor(ms: number, onExpire: () => void) {
    this.#ms = ms;
    this.#onExpire = onExpire;
  }

  /** Begins, or begins anew. */
  restart(): void {
    this.#passed = 0;
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setInterval(() => this.#count(), this.#ms / parts);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #count(): void {
    this.#passed += 1;
    if (this.#passed < parts) return;
    this.stop();
    this.#onExpire();
  }
}
