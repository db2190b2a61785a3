import { setTimeout as sleep } from 'node:timers/promises';
import type { Transferable, Worker } from 'node:worker_threads';
import { CountedTimeout } from './counted-timeout.ts';
import type { WorkerMessage, WorkerRefusal } from './worker-protocol.ts';

/** How a thread ended. */
export interface WorkerEnd<About> {
  readonly kind: /** It ended before it was ready. */
    | 'never-started'
    /** It ended by itself, or was terminated because it did not answer for too long. */
    | 'died'
    /** It was asked to stop. */
    | 'stopped';
  /** The thread's error, if there was one. */
  readonly cause: Error | undefined;
  /** Milliseconds without an answer, if it was terminated for that; otherwise 0. */
  readonly silentMs: number;
  /** The oldest unanswered task, on which it was working. */
  readonly at: About | undefined;
}

export interface WorkerOptions<Own, Refusal, About> {
  readonly start: () => Worker;
  readonly askToStop: (worker: Worker) => void;
  /** A message of the thread's own. */
  readonly onMessage?: (message: Own) => void;
  /** @returns the error of the refused task. */
  readonly onRefusal: (refusal: Refusal) => Error;
  /** @returns the error of a failed start, and of the thread's unanswered tasks. */
  readonly onEnd: (end: WorkerEnd<About>) => Error;
  /** Called if a terminated thread has not ended after this many milliseconds, because it is inside native code. */
  readonly onStuck?: { readonly afterMs: number; call(at: About | undefined): void };
}

export interface TaskOptions<About> {
  /** Reported as `at` if the thread ends during this task. */
  readonly about?: About;
  /** Milliseconds without an answer after which the thread is terminated; unlimited by default. */
  readonly deadlineMs?: number;
  readonly transfer?: readonly Transferable[];
}

interface Task<About> extends TaskOptions<About> {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

interface Run {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/**
 * A thread that runs tasks. After its end, the next task or its owner starts another one; the owner decides when. Silence is
 * counted, not measured, so a suspension of the machine or of this process ends no thread.
 */
export class WorkerClient<Own, Refusal extends WorkerRefusal, About = undefined> {
  readonly #options: WorkerOptions<Own, Refusal, About>;
  readonly #tasks = new Map<number, Task<About>>();
  /** The current thread, until its end. */
  #run: Run | undefined;
  #isReady = false;
  #isStopping = false;
  #cause: Error | undefined;
  #silence: CountedTimeout | undefined;
  #count = 0;
  #idle: (() => void)[] = [];

  constructor(options: WorkerOptions<Own, Refusal, About>) {
    this.#options = options;
  }

  /** Starts a thread unless there is one. Resolves when it is ready. @throws the error from `onEnd`. */
  start(): Promise<void> {
    this.#run ??= this.#begin();
    return this.#run.ready;
  }

  /** Sends a message to the current thread, if there is one. */
  post(message: object): void {
    this.#run?.worker.postMessage(message);
  }

  /** @param task receives the number for the thread's answer. @throws the error from `onRefusal` or `onEnd`. */
  ask(task: (id: number) => object, options: TaskOptions<About> = {}): Promise<unknown> {
    this.#run ??= this.#begin();
    const { worker } = this.#run;
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      this.#tasks.set(id, { ...options, resolve, reject });
      if (!this.#silence) this.#watch();
      worker.postMessage(task(id), options.transfer ?? []);
    });
  }

  /** Resolves when every task has been answered. */
  async idle(): Promise<void> {
    if (this.#tasks.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** @returns false if the thread has not ended in this time; it then no longer keeps the process alive. */
  async stop(deadlineMs: number): Promise<boolean> {
    if (!this.#run) return true;
    const { worker, ended } = this.#run;
    this.#isStopping = true;
    this.#options.askToStop(worker);
    const late = new AbortController();
    const tooLate = sleep(deadlineMs, false, { signal: late.signal }).catch(() => false);
    const inTime = await Promise.race([ended.then(() => true), tooLate]);
    late.abort();
    if (!inTime) worker.unref();
    return inTime;
  }

  #begin(): Run {
    const worker = this.#options.start();
    this.#isReady = false;
    this.#isStopping = false;
    this.#cause = undefined;
    const isCurrent = () => this.#run?.worker === worker;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('error', (error: Error) => {
        if (isCurrent()) this.#cause = error;
      });
      worker.on('message', (message: WorkerMessage) => {
        if (isCurrent()) this.#hear(message, resolve);
      });
      worker.once('exit', () => {
        if (isCurrent()) reject(this.#lose(0));
      });
    });
    // Tasks that wait for the thread fail as well.
    ready.catch(() => {});
    return { worker, ready, ended };
  }

  #hear(message: WorkerMessage, ready: () => void): void {
    const { onRefusal, onMessage } = this.#options;
    switch (message.kind) {
      case 'ready':
        this.#isReady = true;
        ready();
        break;
      case 'answer':
        this.#settle(message.id)?.resolve(message.answer);
        break;
      case 'refusal':
        this.#settle(message.id)?.reject(onRefusal(message as Refusal));
        break;
      case 'failure':
        this.#cause = new Error(message.message);
        break;
      default:
        onMessage?.(message as Own);
    }
  }

  #settle(id: number): Task<About> | undefined {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    this.#watch();
    return task;
  }

  /** The time limit of a task starts at the previous answer, so that time spent waiting for other tasks does not count. */
  #watch(): void {
    this.#silence?.stop();
    this.#silence = undefined;
    if (this.#tasks.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    const longestMs = Math.max(0, ...[...this.#tasks.values()].map(({ deadlineMs = 0 }) => deadlineMs));
    if (longestMs === 0) return;
    this.#silence = new CountedTimeout(longestMs, () => this.#abandon(longestMs));
    this.#silence.restart();
  }

  /** Terminates this thread and drops it at once, so that the next task starts another one. */
  #abandon(silentMs: number): void {
    const { onStuck } = this.#options;
    const worker = this.#run?.worker;
    const [oldest] = this.#tasks.values();
    this.#lose(silentMs);
    // JavaScript and WebAssembly are terminated at once, native code only when it returns.
    void worker?.terminate();
    if (!onStuck) return;
    const late = new CountedTimeout(onStuck.afterMs, () => onStuck.call(oldest?.about));
    late.restart();
    worker?.once('exit', () => late.stop());
  }

  #lose(silentMs: number): Error {
    const lost = [...this.#tasks.values()];
    this.#run = undefined;
    this.#tasks.clear();
    this.#watch();
    const kind = this.#isStopping ? 'stopped' : this.#isReady ? 'died' : 'never-started';
    const error = this.#options.onEnd({ kind, cause: this.#cause, silentMs, at: lost[0]?.about });
    for (const { reject } of lost) reject(error);
    return error;
  }
}
