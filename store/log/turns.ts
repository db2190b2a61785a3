/** Runs tasks one after the other, in the order they were given. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** @returns what the task returns; its failure is the caller's alone and does not stop those behind it. */
  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new Error('the database is closed'));
    const mine = this.#last.then(task, task);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Runs a last task; those that come after it fail. Safe to call twice. */
  close(task: () => Promise<void> | void): Promise<void> {
    this.#closing ??= this.run(async () => task());
    return this.#closing;
  }
}
