interface Waiting {
  readonly client: string;
  readonly enter: () => void;
}

/**
 * Lets a few tasks run at once and the others wait in line, a limited number of them in all and for each client,
 * so that one client cannot take the whole line.
 */
export class LoginQueue {
  readonly #atOnce: number;
  readonly #lineLimit: number;
  readonly #clientLimit: number;
  readonly #line: Waiting[] = [];
  #running = 0;

  constructor(atOnce: number, lineLimit: number, clientLimit: number) {
    this.#atOnce = atOnce;
    this.#lineLimit = lineLimit;
    this.#clientLimit = clientLimit;
  }

  /** @returns undefined at once when the line is full; the task is not run then. */
  run<T>(client: string, task: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return this.#run(task);
    }
    if (this.#line.length >= this.#lineLimit) return undefined;
    const own = this.#line.filter((waiting) => waiting.client === client).length;
    if (own >= this.#clientLimit) return undefined;
    return new Promise<void>((enter) => {
      this.#line.push({ client, enter });
    }).then(() => this.#run(task));
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // The place is handed on, not given back: nobody can slip in before the next in line.
      const next = this.#line.shift();
      if (next) next.enter();
      else this.#running -= 1;
    }
  }
}
