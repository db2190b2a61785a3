import { Worker } from 'node:worker_threads';
import { WorkerClient, type WorkerEnd } from '../../../../bus/base/worker-client.ts';
import type { WorkerRefusal } from '../../../../bus/base/worker-protocol.ts';
import { ModelQuarantine } from '../models/model-quarantine.ts';
import type { ModelSource } from '../models/model-source.ts';
import type { InferenceResults, InferenceTask } from './inference-thread.ts';

/** The thread that was at it has ended, and may have ended because of it. Another takes the next task. */
class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
  readonly code = 'inference_worker_lost';
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
/** What ends its thread at once costs the others less than what blocks it until the deadline. */
const [lostPauseMs, stuckPauseMs] = [5000, 10 * 60 * 1000];

/** A thread that works on one task after the other; started with the first, and again should it end. */
export class InferenceWorker {
  readonly #deadlines: Readonly<typeof defaultDeadlinesMs>;
  readonly #quarantine = new ModelQuarantine();
  readonly #thread: WorkerClient<never, WorkerRefusal, ModelSource>;
  /** The models that this thread has open. */
  readonly #open = new Set<string>();

  constructor({ script, deadlines = defaultDeadlinesMs, onStuck, stuck = [] }: InferenceWorkerOptions = {}) {
    const url = script ?? new URL('./inference-thread.js', import.meta.url);
    this.#deadlines = deadlines;
    this.#thread = new WorkerClient({
      start: () => new Worker(url),
      askToStop: (worker) => void worker.terminate(),
      onRefusal: ({ message }) => new Error(message),
      onEnd: (end) => this.#lose(end),
      onStuck: { afterMs: deadlines.end, call: (model) => onStuck?.(model) },
    });
    for (const model of stuck) {
      const error = new WorkerLostError(
        `${model.name}: the model blocked its thread; it is left alone for a while`,
      );
      this.#quarantine.add(model, error, stuckPauseMs);
    }
  }

  /**
   * @throws {WorkerLostError} as well when the model has cost a thread a moment ago: each takes the work of all
   *   others with it. Else, with the message of what went wrong, an Error.
   */
  async run<Type extends InferenceTask['type']>(
    task: Extract<InferenceTask, { type: Type }>,
  ): Promise<InferenceResults[Type]> {
    const about = 'source' in task ? task.source : undefined;
    const suspicion = about && this.#quarantine.of(about);
    if (suspicion) throw suspicion;
    // A new thread opens a model when it is first to look with it.
    const opens = about !== undefined && !this.#open.has(JSON.stringify(about));
    const deadlineMs = opens ? this.#deadlines.open : this.#deadlines.work;
    const options = { deadlineMs, ...(about && { about }) };
    const result = await this.#ask(task, options);
    if (about) this.#open.add(JSON.stringify(about));
    return result as InferenceResults[Type];
  }

  /** Ends the thread once it has done what it was given. */
  async close(): Promise<void> {
    // An engine that loses its thread in the middle of its work takes the process with it.
    await this.#thread.idle();
    await this.#thread.stop(this.#deadlines.end);
  }

  #ask(task: InferenceTask, options: { deadlineMs: number; about?: ModelSource }): Promise<unknown> {
    if (!('picture' in task)) return this.#thread.ask((id) => ({ id, task }), options);
    // A picture is a view of much more; what is sent is a copy of it alone, which then moves.
    const data = task.picture.data.slice();
    const picture = { ...task.picture, data };
    return this.#thread.ask((id) => ({ id, task: { ...task, picture } }), {
      ...options,
      transfer: [data.buffer],
    });
  }

  #lose({ kind, cause, silentMs, at }: WorkerEnd<ModelSource>): Error {
    this.#open.clear();
    const message = silentMs
      ? `${at ? `${at.name}: ` : ''}the thread of the models gave no answer in ${silentMs / 1000} s, and was ended`
      : `the thread of the models ${kind === 'never-started' ? 'did not start' : 'has ended'}${cause ? `: ${cause.message}` : ''}`;
    const error = new WorkerLostError(message, { cause });
    if (at && kind !== 'stopped') this.#quarantine.add(at, error, silentMs ? stuckPauseMs : lostPauseMs);
    return error;
  }
}
