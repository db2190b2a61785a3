/** Runs tasks one after the other, in the order they were given. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** @returns what the task returns; its failure is the caller's alone and does not stop those behind it. */
  runExclusive<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new Error('closed: no more tasks are taken'));
    const mine = this.#last.then(task, task);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Runs a last task; those that come after it fail. Safe to call twice. */
  close(task: () => Promise<void> | void): Promise<void> {
    this.#closing ??= this.runExclusive(async () => task());
    return this.#closing;
  }
}
