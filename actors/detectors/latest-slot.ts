/**
 * Holds the newest of what arrives until its reader is ready for it.
 *
 * A reader that is slower than its source skips what it could not look at; nothing piles up.
 */
export class LatestSlot<T> {
  readonly #read: (value: T) => Promise<void> | void;
  #next: { value: T } | undefined;
  #busy = false;
  #skipped = 0;

  constructor(read: (value: T) => Promise<void> | void) {
    this.#read = read;
  }

  /** How many values were replaced before they were read. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Called on the bus's connection: keeps the value and returns at once. */
  put(value: T): void {
    if (this.#next) this.#skipped += 1;
    this.#next = { value };
    if (this.#busy) return;
    this.#busy = true;
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    for (let next = this.#take(); next; next = this.#take()) {
      await this.#read(next.value);
      // Lets the connection breathe between two pictures.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#busy = false;
  }

  #take(): { value: T } | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}
