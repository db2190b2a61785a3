/** From a moment on (Unix time in microseconds) a machine, or nobody, publishes what happens at a monitor. */
export interface Turn {
  readonly machine: string;
  readonly since: number;
}

const maxTurns = 16;
/** In the turn of nobody, each machine publishes what it has. */
export const nobody = '';

/** Which machine publishes the events of a monitor, by the times of their frames. */
export class Turns {
  #turns: readonly Turn[] = [];

  get list(): readonly Turn[] {
    return this.#turns;
  }

  get last(): Turn | undefined {
    return this.#turns.at(-1);
  }

  begin(turn: Turn): void {
    this.#turns = [...this.#turns, turn].slice(-maxTurns);
  }

  /** Whether another machine's list goes on after this one. */
  isBefore(turns: readonly Turn[]): boolean {
    return (turns.at(-1)?.since ?? -1) > (this.last?.since ?? -1);
  }

  replace(turns: readonly Turn[]): void {
    this.#turns = turns.slice(-maxTurns);
  }

  /** Undefined before the first one that is known. Of clocks that differ a later one may begin earlier: it counts. */
  at(time: number): Turn | undefined {
    return this.#turns.findLast(({ since }) => since <= time);
  }

  /** Whether a machine had the turn at some moment from one time to another, both included. */
  hadIt(machine: string, from: number, to: number): boolean {
    const begun = this.#turns.filter(({ since }) => since > from && since <= to).map(({ since }) => since);
    return [from, ...begun].some((time) => this.at(time)?.machine === machine);
  }
}
