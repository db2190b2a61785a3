/** Runs tasks one at a time, in the order in which they were added. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** @returns the task's result. A failure rejects only this promise; later tasks still run. */
  runExclusive<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new Error('closed: no more tasks are accepted'));
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Runs a last task; tasks added later are rejected. Safe to call twice. */
  close(task: () => Promise<void> | void): Promise<void> {
    this.#closing ??= this.runExclusive(async () => task());
    return this.#closing;
  }
}
