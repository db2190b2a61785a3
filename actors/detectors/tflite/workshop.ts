import { Worker } from 'node:worker_threads';
import type { Answer, Results, Task } from './worker.ts';

/** The thread that was at it has ended. Another takes the next task. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
  readonly code = 'inference_worker_lost';
}

interface Pending {
  resolve(result: Results[keyof Results]): void;
  reject(reason: Error): void;
}

const idlePause = 5;

/** A thread that works on one task after the other; started with the first, and again should it end. */
export class Workshop {
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #next = 0;

  /** @throws {WorkerLostError} or, with the message of what went wrong, an Error. */
  do<Type extends Task['type']>(task: Extract<Task, { type: Type }>): Promise<Results[Type]> {
    const worker = this.#running();
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (result) => resolve(result as Results[Type]), reject });
      if (!('picture' in task)) return worker.postMessage({ id, task });
      // A picture is a view of much more; what is sent is a copy of it alone, which then moves.
      const data = task.picture.data.slice();
      worker.postMessage({ id, task: { ...task, picture: { ...task.picture, data } } }, [data.buffer]);
    });
  }

  /** Ends the thread once it has done what it was given. */
  async close(): Promise<void> {
    // An engine that loses its thread in the middle of its work takes the process with it.
    while (this.#pending.size > 0) await new Promise((resolve) => setTimeout(resolve, idlePause));
    await this.#worker?.terminate();
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    this.#worker = worker;
    worker.on('message', ({ id, result, error }: Answer) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined && result !== undefined) pending?.resolve(result);
      else pending?.reject(new Error(error));
    });
    // What an engine does to its thread stays there.
    worker.on('error', () => {});
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      const lost = [...this.#pending.values()];
      this.#pending.clear();
      for (const { reject } of lost) reject(new WorkerLostError('the thread of the models has ended'));
    });
    return worker;
  }
}
