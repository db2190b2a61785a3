import { Worker } from 'node:worker_threads';
import { WorkerClient, type WorkerEnd } from '../../../../bus/children/worker-client.ts';
import type { WorkerRefusal } from '../../../../bus/children/worker-protocol.ts';
import { ModelQuarantine } from '../models/model-quarantine.ts';
import type { ModelSource } from '../models/model-source.ts';
import type { InferenceResults, InferenceTask } from './inference-thread.ts';

/** The thread ended during the task, perhaps because of it. A new thread runs the next task. */
class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
  readonly code = 'inference_worker_lost';
}

export interface InferenceWorkerOptions {
  /** Models that an earlier process got stuck in. */
  readonly stuck?: readonly ModelSource[];
  /** Called when the thread is stuck where it cannot be terminated, so that the process must end. */
  readonly onStuck?: (model: ModelSource | undefined) => void;
  /** The thread's entry file. */
  readonly script?: URL;
  readonly deadlines?: Readonly<typeof defaultDeadlinesMs>;
}

/** In milliseconds. Opening a model may take two downloads, on a slow machine. */
const defaultDeadlinesMs = { open: 240_000, work: 30_000, end: 5000 };
/** A model that crashes its thread at once costs the others less than one that blocks it until the deadline. */
const [lostPauseMs, stuckPauseMs] = [5000, 10 * 60 * 1000];

/** A thread that runs one task at a time; started with the first task, and again if it ends. */
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
   * @throws {WorkerLostError} if the thread was lost, or if the model cost a thread a moment ago, because each loss affects
   *   the tasks of all others. Otherwise an Error with the cause's message.
   */
  async run<Type extends InferenceTask['type']>(
    task: Extract<InferenceTask, { type: Type }>,
  ): Promise<InferenceResults[Type]> {
    const about = 'source' in task ? task.source : undefined;
    const suspicion = about && this.#quarantine.of(about);
    if (suspicion) throw suspicion;
    // A new thread opens a model at its first inference.
    const opens = about !== undefined && !this.#open.has(JSON.stringify(about));
    const deadlineMs = opens ? this.#deadlines.open : this.#deadlines.work;
    const options = { deadlineMs, ...(about && { about }) };
    const result = await this.#ask(task, options);
    if (about) this.#open.add(JSON.stringify(about));
    return result as InferenceResults[Type];
  }

  /** Ends the thread after its current tasks. */
  async close(): Promise<void> {
    // An engine whose thread is terminated during inference crashes the process.
    await this.#thread.idle();
    await this.#thread.stop(this.#deadlines.end);
  }

  #ask(task: InferenceTask, options: { deadlineMs: number; about?: ModelSource }): Promise<unknown> {
    if (!('picture' in task)) return this.#thread.ask((id) => ({ id, task }), options);
    // A frame is a view of a larger buffer, which others may look at: a copy of its part is sent, by transfer. (A `Buffer`'s
    // own `slice` would be another view.)
    const data = new Uint8Array(task.picture.data);
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
