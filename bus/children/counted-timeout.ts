/**
 * Number of parts of a time-out, of which a suspension uses up at most one. They are longer than a child's heartbeats
 * are apart, so that its time-out is restarted before it wakes this process.
 */
const parts = 4;

/**
 * A time-out that counts the parts in which this process ran, instead of measuring the time since its start. Messages that
 * arrive while the machine or process is suspended are read before it expires.
 */
export class CountedTimeout {
  readonly #ms: number;
  readonly #onExpire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #passed = 0;

  /** @param onExpire is called once per start, if it is not restarted or stopped for this many milliseconds. */
  constructor(ms: number, onExpire: () => void) {
    this.#ms = ms;
    this.#onExpire = onExpire;
  }

  /** Starts or restarts the time-out. */
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
