import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { stopDeadlinesMs } from '../../../bus/base/stop-deadlines.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { StoreError } from '../../base/store-error.ts';
import { LogStoreError } from '../schema/log-store-error.ts';
import type {
  AskedQuestion,
  FromLogWorker,
  LogAnswer,
  LogQuestion,
  LogTopic,
  LogWorkerStart,
  ToLogWorker,
} from './log-protocol.ts';

// Node runs no TypeScript in a thread: from the sources, the compiled file is taken.
const script = import.meta.url.endsWith('.ts')
  ? new URL('../../../dist/store/log/worker/log-worker.js', import.meta.url)
  : new URL('./log-worker.js', import.meta.url);

const restartPausesMs = [100, 500, 2000, 10_000];
/** Milliseconds that a query waits for a thread that is being started again. */
const queryPatience = 5000;

interface Surroundings {
  /** What a new thread begins with. */
  readonly beginning: Omit<LogWorkerStart, 'following'>;
  entries(entries: readonly LogEntry[]): void;
  report(error: LogStoreError): void;
}

interface Request {
  resolve(answer: unknown): void;
  reject(error: StoreError): void;
}

/** The thread with the log's database. When it ends by itself it is started again. */
export class LogClient {
  readonly #surroundings: Surroundings;
  readonly #requests = new Map<number, Request>();
  /** The newest one; it may not be ready yet. */
  #worker: Worker | undefined;
  #ready: Promise<Worker>;
  #ended: Promise<void> = Promise.resolve();
  #following = false;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;
  #requestCount = 0;

  private constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#ready = this.#run();
  }

  /** @throws what kept the thread from starting. A start that fails is not repeated. */
  static async start(surroundings: Surroundings): Promise<LogClient> {
    const thread = new LogClient(surroundings);
    await thread.#ready;
    return thread;
  }

  /**
   * @throws {StoreError} `io` when the thread is away for longer than five seconds, or ends meanwhile; other codes
   * as the topic has them. Once `signal` is aborted nobody needs the answer; there is one all the same.
   */
  async ask<T extends LogTopic>(
    topic: T,
    asked: AskedQuestion<T>,
    signal?: AbortSignal,
  ): Promise<LogAnswer<T>> {
    const worker = await this.#available();
    this.#requestCount += 1;
    const id = this.#requestCount;
    const cancel = () => post(worker, { kind: 'cancel', id });
    try {
      const answer = await new Promise<unknown>((resolve, reject) => {
        this.#requests.set(id, { resolve, reject });
        post(worker, { kind: 'ask', id, topic, asked } as LogQuestion);
        if (signal?.aborted) cancel();
        else signal?.addEventListener('abort', cancel, { once: true });
      });
      return answer as LogAnswer<T>;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Switches the posting of new entries, for threads to come as well. One that is just starting hears it later. */
  follow(on: boolean): void {
    this.#following = on;
    if (this.#worker) post(this.#worker, { kind: 'follow', on });
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    if (this.#worker) post(this.#worker, { kind: 'close' });
    const late = new AbortController();
    await Promise.race([
      this.#ended,
      sleep(stopDeadlinesMs.logThread, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
    if (!this.#worker) return;
    // It is left to the end of the process: to terminate it would abort that (see LogDatabase.close).
    this.#worker.unref();
    const text = 'the log was not closed in time: a statement does not end; nothing of it is lost';
    this.#surroundings.report(new LogStoreError('log_thread_hangs', text));
  }

  async #available(): Promise<Worker> {
    if (this.#closing) throw new StoreError('io', 'the log is closed');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new StoreError('io', 'the log database is being started again');
      timer = setTimeout(reject, queryPatience, error);
    });
    try {
      return await Promise.race([this.#ready, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @returns when the thread is ready. Before that its end is a failed start, afterwards a crash. */
  #run(): Promise<Worker> {
    const worker = new Worker(script, {
      name: 'log store',
      workerData: { ...this.#surroundings.beginning, following: this.#following } satisfies LogWorkerStart,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    this.#worker = worker;
    let ready = false;
    let reason = '';
    worker.on('error', (error: Error) => {
      reason = `: ${error.message}`;
    });
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromLogWorker) => {
        if (message.kind === 'ready') {
          ready = true;
          resolve(worker);
        } else if (message.kind === 'failure') reason = `: ${message.message}`;
        else this.#hear(message, worker);
      });
      this.#ended = new Promise((ended) => {
        worker.once('exit', () => {
          ended();
          const error = new LogStoreError('log_thread_ended', `the log's thread ended${reason}`);
          reject(error);
          this.#worker = undefined;
          if (ready) this.#crashed(error);
        });
      });
    });
  }

  #crashed(error: LogStoreError): void {
    for (const { reject } of this.#requests.values()) {
      reject(new StoreError('io', 'the log database was interrupted; ask again', { cause: error }));
    }
    this.#requests.clear();
    if (this.#closing) return;
    this.#surroundings.report(error);
    this.#ready = this.#restart(0);
    this.#ready.catch(() => {});
  }

  async #restart(attempt: number): Promise<Worker> {
    await new Promise<void>((resolve) => {
      this.#timer = setTimeout(resolve, restartPausesMs[Math.min(attempt, restartPausesMs.length - 1)]);
    });
    try {
      return await this.#run();
    } catch (error) {
      if (this.#closing) throw error;
      this.#surroundings.report(error as LogStoreError);
      return this.#restart(attempt + 1);
    }
  }

  #hear(message: Exclude<FromLogWorker, { kind: 'ready' | 'failure' }>, worker: Worker): void {
    const { entries, report } = this.#surroundings;
    if (message.kind === 'entries') {
      entries(message.entries);
      post(worker, { kind: 'taken' });
    } else if (message.kind === 'problem') report(new LogStoreError(message.code, message.message));
    else if (message.kind === 'answer') this.#take(message.id)?.resolve(message.answer);
    else {
      const { id, code, message: text, pointer } = message;
      this.#take(id)?.reject(new StoreError(code, text, pointer === undefined ? {} : { pointer }));
    }
  }

  #take(id: number): Request | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }
}

const post = (worker: Worker, message: ToLogWorker) => worker.postMessage(message);
