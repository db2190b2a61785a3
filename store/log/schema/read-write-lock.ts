/** Lets tasks through side by side, and now and then one alone. */
export class ReadWriteLock {
  readonly #inside = new Set<Promise<unknown>>();
  #shut: Promise<unknown> | undefined;

  /** Runs a task, or lets it wait for the one that wants to be alone. A task must not pass again from within. */
  async read<T>(task: () => Promise<T>): Promise<T> {
    while (this.#shut !== undefined) await this.#shut;
    const running = task();
    this.#inside.add(running);
    try {
      return await running;
    } finally {
      this.#inside.delete(running);
    }
  }

  /** Runs a task once those inside have ended, while others wait. One at a time. */
  async write<T>(task: () => Promise<T>): Promise<T> {
    while (this.#shut !== undefined) await this.#shut;
    const alone = Promise.allSettled(this.#inside).then(task);
    this.#shut = alone.then(
      () => this.#open(),
      () => this.#open(),
    );
    return alone;
  }

  #open(): void {
    this.#shut = undefined;
  }
}
