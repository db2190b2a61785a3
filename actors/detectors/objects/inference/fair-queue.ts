/** One monitor's place in the round. */
export interface Slot<T> {
  /** Keeps the value, in place of one that nobody has looked at yet. */
  put(value: T): void;
  /** How many values were replaced before it was their turn. */
  readonly skipped: number;
  leave(): void;
}

interface Waiting<T> {
  readonly work: (value: T) => Promise<void>;
  next: { value: T } | undefined;
  skipped: number;
}

/**
 * Lets many take turns at something that only one can use at a time.
 *
 * Everybody waits with the newest value only, and whoever has just had a turn goes to the end of the line: a
 * monitor that sends more than the others gets no more than they do.
 */
export class FairQueue {
  readonly #line: Waiting<unknown>[] = [];
  #busy = false;

  /** @param work is called when it is this lane's turn; the next turn begins when it is done. It never rejects. */
  join<T>(work: (value: T) => Promise<void>): Slot<T> {
    const waiting: Waiting<T> = { work, next: undefined, skipped: 0 };
    const place = waiting as Waiting<unknown>;
    this.#line.push(place);
    return {
      put: (value) => {
        if (waiting.next) waiting.skipped += 1;
        waiting.next = { value };
        if (!this.#busy) void this.#go();
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

  async #go(): Promise<void> {
    this.#busy = true;
    for (;;) {
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
