import { setTimeout as sleep } from 'node:timers/promises';
import type { Transferable, Worker } from 'node:worker_threads';
import { CountedTimeout } from './counted-timeout.ts';
import { type PendingTaskOptions, PendingTasks } from './pending-tasks.ts';
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

export interface TaskOptions<About> extends PendingTaskOptions<About> {
  readonly transfer?: readonly Transferable[];
}

interface Run {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/** A thread that runs tasks. After its end, the next task or its owner starts another one; the owner decides when. */
export class WorkerClient<Own, Refusal extends WorkerRefusal, About = undefined> {
  readonly #options: WorkerOptions<Own, Refusal, About>;
  readonly #tasks = new PendingTasks<About>((silentMs) => this.#abandon(silentMs));
  /** The current thread, until its end. */
  #run: Run | undefined;
  #isReady = false;
  #isStopping = false;
  #cause: Error | undefined;

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
    const { id, answer } = this.#tasks.add(options);
    try {
      this.#run.worker.postMessage(task(id), options.transfer ?? []);
    } catch (error) {
      // Something in it cannot be sent.
      this.#tasks.take(id)?.reject(error as Error);
    }
    return answer;
  }

  /** Resolves when every task has been answered. */
  idle(): Promise<void> {
    return this.#tasks.idle();
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
        this.#tasks.take(message.id)?.resolve(message.answer);
        break;
      case 'refusal':
        this.#tasks.take(message.id)?.reject(onRefusal(message as Refusal));
        break;
      case 'failure':
        this.#cause = new Error(message.message);
        break;
      default:
        onMessage?.(message as Own);
    }
  }

  /** Terminates this thread and drops it at once, so that the next task starts another one. */
  #abandon(silentMs: number): void {
    const { onStuck } = this.#options;
    const worker = this.#run?.worker;
    const at = this.#tasks.oldest;
    this.#lose(silentMs);
    // JavaScript and WebAssembly are terminated at once, native code only when it returns.
    void worker?.terminate();
    if (!onStuck) return;
    const late = new CountedTimeout(onStuck.afterMs, () => onStuck.call(at));
    late.restart();
    worker?.once('exit', () => late.stop());
  }

  #lose(silentMs: number): Error {
    const at = this.#tasks.oldest;
    this.#run = undefined;
    const lost = this.#tasks.takeAll();
    const kind = this.#isStopping ? 'stopped' : this.#isReady ? 'died' : 'never-started';
    const error = this.#options.onEnd({ kind, cause: this.#cause, silentMs, at });
    for (const { reject } of lost) reject(error);
    return error;
  }
}
