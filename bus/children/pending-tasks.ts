import { CountedTimeout } from './counted-timeout.ts';

export interface PendingTaskOptions<About> {
  /** What the task is about, for the case that the thread ends during it. */
  readonly about?: About;
  /** Milliseconds without an answer after which the thread is terminated; unlimited by default. */
  readonly deadlineMs?: number;
}

interface Task<About> extends PendingTaskOptions<About> {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/**
 * The tasks that a thread has not answered yet, and the watch over its silence. Silence is counted, not measured, so a
 * suspension of the machine or of this process ends no thread.
 */
export class PendingTasks<About> {
  readonly #onSilence: (silentMs: number) => void;
  readonly #tasks = new Map<number, Task<About>>();
  #silence: CountedTimeout | undefined;
  #count = 0;
  #idle: (() => void)[] = [];

  /** @param onSilence is called when the longest deadline has passed without an answer. */
  constructor(onSilence: (silentMs: number) => void) {
    this.#onSilence = onSilence;
  }

  /** What the oldest task is about, on which the thread is working. */
  get oldest(): About | undefined {
    const [oldest] = this.#tasks.values();
    return oldest?.about;
  }

  /** @returns the number for the thread's answer, and the answer. */
  add(options: PendingTaskOptions<About>): { readonly id: number; readonly answer: Promise<unknown> } {
    this.#count += 1;
    const id = this.#count;
    const answer = new Promise((resolve, reject) => {
      this.#tasks.set(id, { ...options, resolve, reject });
    });
    if (!this.#silence) this.#watch();
    return { id, answer };
  }

  /** A task that has been answered. */
  take(id: number): Task<About> | undefined {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    this.#watch();
    return task;
  }

  /** All of them, when the thread has ended. */
  takeAll(): readonly Task<About>[] {
    const all = [...this.#tasks.values()];
    this.#tasks.clear();
    this.#watch();
    return all;
  }

  /** Resolves when none is left. */
  async idle(): Promise<void> {
    if (this.#tasks.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** The time limit of a task starts at the previous answer, so that time spent waiting for other tasks does not count. */
  #watch(): void {
    this.#silence?.stop();
    this.#silence = undefined;
    if (this.#tasks.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    const longestMs = Math.max(0, ...[...this.#tasks.values()].map(({ deadlineMs = 0 }) => deadlineMs));
    if (longestMs === 0) return;
    this.#silence = new CountedTimeout(longestMs, () => this.#onSilence(longestMs));
    this.#silence.restart();
  }
}
