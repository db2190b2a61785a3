/** One reader's place in the queue. */
export interface Slot<T> {
  /** Stores the value, replacing an unread one, and returns at once. */
  put(value: T): void;
  /** Number of values that were replaced before they were read. */
  readonly skipped: number;
  leave(): void;
}

interface Waiting<T> {
  readonly work: (value: T) => Promise<void> | void;
  next: { value: T } | undefined;
  skipped: number;
}

/**
 * Passes the newest value of each source to its reader, one reader at a time; nothing accumulates.
 *
 * A reader that is slower than its source skips values. After its turn a reader goes to the end of the queue, so a reader
 * with a faster source gets no more turns than the others.
 */
export class FairQueue {
  readonly #line: Waiting<unknown>[] = [];
  #busy = false;

  /** @param work is called when it is this reader's turn; the next turn begins when it is done. It must not reject. */
  join<T>(work: (value: T) => Promise<void> | void): Slot<T> {
    const waiting: Waiting<T> = { work, next: undefined, skipped: 0 };
    const place = waiting as Waiting<unknown>;
    this.#line.push(place);
    return {
      put: (value) => {
        if (waiting.next) waiting.skipped += 1;
        waiting.next = { value };
        if (!this.#busy) void this.#takeTurns();
      },
      get skipped() {
        return waiting.skipped;
      },
      leave: () => {
        waiting.next = undefined;
        const index = this.#line.indexOf(place);
        if (index >= 0) this.#line.splice(index, 1);
      },
    };
  }

  async #takeTurns(): Promise<void> {
    this.#busy = true;
    for (;;) {
      // Values arrive on a connection, which must be read between two turns.
      await new Promise((resolve) => setImmediate(resolve));
      const index = this.#line.findIndex(({ next }) => next !== undefined);
      const [turn] = index < 0 ? [] : this.#line.splice(index, 1);
      if (!turn?.next) break;
      this.#line.push(turn);
      const { value } = turn.next;
      turn.next = undefined;
      await turn.work(value);
    }
    this.#busy = false;
  }
}
