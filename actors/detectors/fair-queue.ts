/** One reader's place in the queue. */
export interface Slot<T> {
  /** Keeps the value, in place of one that was not read yet, and returns at once. */
  put(value: T): void;
  /** How many values were replaced before it was their turn. */
  readonly skipped: number;
  leave(): void;
}

interface Waiting<T> {
  readonly work: (value: T) => Promise<void> | void;
  next: { value: T } | undefined;
  skipped: number;
}

/**
 * Hands over the newest of what arrives, to one reader after the other; nothing piles up.
 *
 * A reader that is slower than its source skips values. Where several share a queue, whoever has just had a turn goes
 * to its end: one that is sent more than the others gets no more turns than they do.
 */
export class FairQueue {
  readonly #line: Waiting<unknown>[] = [];
  #busy = false;

  /** @param work is called when it is this reader's turn; the next turn begins when it is done. It never rejects. */
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
      // Values come from a connection, which must go on reading between two turns.
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
