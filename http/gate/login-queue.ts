interface Waiting {
  readonly client: string;
  readonly enter: () => void;
}

/**
 * Runs a few tasks at once and queues the others. The queue is limited in all and per client, so that one client
 * cannot fill it.
 */
export class LoginQueue {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #maxWaitingPerClient: number;
  readonly #queue: Waiting[] = [];
  #running = 0;

  constructor(atOnce: number, maxWaiting: number, maxWaitingPerClient: number) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitingPerClient = maxWaitingPerClient;
  }

  /** @returns undefined if the queue is full; the task is then not run. */
  run<T>(client: string, task: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return this.#run(task);
    }
    if (this.#queue.length >= this.#maxWaiting) return undefined;
    const own = this.#queue.filter((waiting) => waiting.client === client).length;
    if (own >= this.#maxWaitingPerClient) return undefined;
    return new Promise<void>((enter) => {
      this.#queue.push({ client, enter });
    }).then(() => this.#run(task));
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // The slot goes straight to the next in the queue, so that a new task cannot overtake it.
      const next = this.#queue.shift();
      if (next) next.enter();
      else this.#running -= 1;
    }
  }
}
