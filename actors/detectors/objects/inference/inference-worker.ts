import { Worker } from 'node:worker_threads';
import { ModelQuarantine } from '../models/model-quarantine.ts';
import type { ModelSource } from '../models/model-source.ts';
import type { InferenceAnswer, InferenceResults, InferenceTask } from './inference-thread.ts';

/** The thread that was at it has ended, and may have ended because of it. Another takes the next task. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
  readonly code = 'inference_worker_lost';
}

interface Pending {
  /** The model that is needed; a picture is encoded without. */
  readonly model: ModelSource | undefined;
  /** Milliseconds. */
  readonly deadline: number;
  resolve(result: InferenceResults[keyof InferenceResults]): void;
  reject(reason: Error): void;
}

export interface InferenceWorkerOptions {
  /** Models that a process before this one could not get out of. */
  readonly stuck?: readonly ModelSource[];
  /** Is called when the thread is stuck where it cannot be ended: the process has to. */
  readonly onStuck?: (model: ModelSource | undefined) => void;
  /** What the thread runs. */
  readonly script?: URL;
  readonly deadlines?: Readonly<typeof defaultDeadlinesMs>;
}

/** Milliseconds. To open a model may take two downloads, and the slowest of machines. */
const defaultDeadlinesMs = { open: 240_000, work: 30_000, end: 5000 };
const idlePauseMs = 5;
/** What ends its thread at once costs the others less than what blocks it until the deadline. */
const [lostPauseMs, stuckPauseMs] = [5000, 10 * 60 * 1000];

/** A thread that works on one task after the other; started with the first, and again should it end. */
export class InferenceWorker {
  readonly #script: URL;
  readonly #deadlines: Readonly<typeof defaultDeadlinesMs>;
  readonly #onStuck: InferenceWorkerOptions['onStuck'];
  readonly #suspects = new ModelQuarantine();
  readonly #pending = new Map<number, Pending>();
  /** The models that this thread has open. */
  readonly #open = new Set<string>();
  #worker: Worker | undefined;
  #watch: NodeJS.Timeout | undefined;
  #next = 0;

  constructor({ script, deadlines, onStuck, stuck = [] }: InferenceWorkerOptions = {}) {
    this.#script = script ?? new URL('./inference-thread.js', import.meta.url);
    this.#deadlines = deadlines ?? defaultDeadlinesMs;
    this.#onStuck = onStuck;
    for (const model of stuck) {
      const error = new WorkerLostError(
        `${model.name}: the model blocked its thread; it is left alone for a while`,
      );
      this.#suspects.add(model, error, stuckPauseMs);
    }
  }

  /**
   * @throws {WorkerLostError} as well when the model has cost a thread a moment ago: each takes the work of all
   *   others with it. Else, with the message of what went wrong, an Error.
   */
  run<Type extends InferenceTask['type']>(
    task: Extract<InferenceTask, { type: Type }>,
  ): Promise<InferenceResults[Type]> {
    const model = 'source' in task ? task.source : undefined;
    const suspicion = model && this.#suspects.of(model);
    if (suspicion) return Promise.reject(suspicion);
    const worker = this.#running();
    const id = this.#next;
    this.#next += 1;
    // A new thread opens a model when it is first to look with it.
    const opens = model !== undefined && !this.#open.has(JSON.stringify(model));
    const deadline = opens ? this.#deadlines.open : this.#deadlines.work;
    return new Promise((resolve, reject) => {
      const settle = (result: InferenceResults[keyof InferenceResults]) =>
        resolve(result as InferenceResults[Type]);
      this.#pending.set(id, { model, deadline, resolve: settle, reject });
      if (!this.#watch) this.#restartWatch(worker);
      if (!('picture' in task)) return worker.postMessage({ id, task });
      // A picture is a view of much more; what is sent is a copy of it alone, which then moves.
      const data = task.picture.data.slice();
      worker.postMessage({ id, task: { ...task, picture: { ...task.picture, data } } }, [data.buffer]);
    });
  }

  /** Ends the thread once it has done what it was given. */
  async close(): Promise<void> {
    // An engine that loses its thread in the middle of its work takes the process with it.
    while (this.#pending.size > 0) await new Promise((resolve) => setTimeout(resolve, idlePauseMs));
    await this.#worker?.terminate();
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#script);
    this.#worker = worker;
    worker.on('message', (answer: InferenceAnswer) => {
      if (this.#worker === worker) this.#take(answer, worker);
    });
    // What an engine does to its thread stays there.
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.once('exit', () => {
      if (this.#worker !== worker) return;
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      this.#lose(`the thread of the models has ended${why}`, lostPauseMs, cause);
    });
    return worker;
  }

  #take({ id, result, error }: InferenceAnswer, worker: Worker): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    this.#restartWatch(worker);
    if (error === undefined && result !== undefined) {
      if (pending?.model) this.#open.add(JSON.stringify(pending.model));
      pending?.resolve(result);
    } else pending?.reject(new Error(error));
  }

  /** A task's time begins with the answer before: those that wait are not to blame for the one that is worked on. */
  #restartWatch(worker: Worker): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    if (this.#pending.size === 0) return;
    const deadline = Math.max(...[...this.#pending.values()].map((one) => one.deadline));
    this.#watch = setTimeout(() => this.#endStuck(worker, deadline), deadline);
  }

  #endStuck(worker: Worker, deadline: number): void {
    const [first] = this.#pending.values();
    const blame = first?.model ? `${first.model.name}: ` : '';
    const message = `${blame}the thread of the models gave no answer in ${deadline / 1000} s, and was ended`;
    this.#lose(message, stuckPauseMs);
    // JavaScript and WebAssembly end here, native code only when it comes back.
    const late = setTimeout(() => this.#onStuck?.(first?.model), this.#deadlines.end);
    worker.once('exit', () => clearTimeout(late));
    void worker.terminate();
  }

  /** The oldest task is the one that it was at. */
  #lose(message: string, pause: number, cause?: unknown): void {
    const error = new WorkerLostError(message, { cause });
    const lost = [...this.#pending.values()];
    clearTimeout(this.#watch);
    this.#watch = undefined;
    this.#worker = undefined;
    this.#pending.clear();
    this.#open.clear();
    const [first] = lost;
    if (first?.model) this.#suspects.add(first.model, error, pause);
    for (const { reject } of lost) reject(error);
  }
}
