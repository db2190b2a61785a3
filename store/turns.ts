/** Runs tasks one after the other, in the order they were given. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns what the task returns; its failure is the caller's alone and does not stop those behind it. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(task, task);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
