import { Worker } from 'node:worker_threads';
import { backoffDelay } from '../../../bus/base/backoff.ts';
import { retry } from '../../../bus/children/retry.ts';
import { stopDeadlinesMs } from '../../../bus/children/stop-deadlines.ts';
import { WorkerClient, type WorkerEnd } from '../../../bus/children/worker-client.ts';
import { StoreError } from '../../base/store-error.ts';
import type { ExportFormat } from '../export/export-format.ts';
import type { LogFilter, MachineEntry } from '../read/log-filter.ts';
import { LogStoreError } from '../schema/log-store-error.ts';
import type {
  AskedQuestion,
  LogAnswer,
  LogNotice,
  LogQuestion,
  LogRefusal,
  LogTopic,
  LogWorkerStart,
  ToLogWorker,
} from './log-protocol.ts';

const script = new URL('./log-worker.js', import.meta.url);
const restart = { minMs: 100, maxMs: 20_000 };
/**
 * What a question has used is given back with the next one, if 0.2 s are over: at once would cost questions a third more. By itself
 * DuckDB's allocator then only offers it to the kernel, which takes it when memory is short.
 */
const allocatorLimits = 'dirty_decay_ms:200,muzzy_decay_ms:0';
/** A query waits this long for a restarting thread, in milliseconds. */
const queryPatienceMs = 5000;

interface Surroundings {
  /** Start options of a new thread. */
  readonly beginning: Omit<LogWorkerStart, 'following' | 'heard'>;
  entries(entries: readonly MachineEntry[]): void;
  report(error: LogStoreError): void;
}

/** The thread with the log's database. It is restarted if it ends by itself. */
export class LogClient {
  readonly #surroundings: Surroundings;
  readonly #thread: WorkerClient<LogNotice, LogRefusal>;
  readonly #closing = new AbortController();
  #ready: Promise<void>;
  #following = false;
  #heard: readonly string[] | undefined;

  private constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#thread = new WorkerClient({
      start: () => this.#startThread(),
      askToStop: () => this.#post({ kind: 'close' }),
      onMessage: (message) => this.#hear(message),
      onRefusal: ({ code, message, pointer }) =>
        new StoreError(code, message, pointer === undefined ? {} : { pointer }),
      onEnd: (end) => this.#ended(end),
    });
    this.#ready = this.#thread.start();
  }

  /** @throws if the thread cannot start. A failed start is not repeated. */
  static async start(surroundings: Surroundings): Promise<LogClient> {
    const client = new LogClient(surroundings);
    await client.#ready;
    return client;
  }

  /**
   * @throws {StoreError} `io` if the thread is unreachable for longer than 5 s, or ends meanwhile; other codes by topic.
   */
  async ask<T extends LogTopic>(topic: T, asked: AskedQuestion<T>): Promise<LogAnswer<T>> {
    await this.#available();
    const answer = await this.#thread.ask((id) => ({ kind: 'ask', id, topic, asked }) as LogQuestion);
    return answer as LogAnswer<T>;
  }

  /** The pieces of an export, each read when it is asked for. */
  async *download(filter: LogFilter, format: ExportFormat): AsyncGenerator<Uint8Array> {
    const download = await this.ask('openExport', { filter, format });
    try {
      for (;;) {
        const piece = await this.ask('readDownload', { download });
        if (!piece) return;
        if (piece.length > 0) yield piece;
      }
    } finally {
      // With a thread that has gone the download is gone as well.
      await this.ask('closeDownload', { download }).catch(() => {});
    }
  }

  /** Switches the posting of new entries, also for later threads. A thread that is starting receives it when it is ready. */
  follow(on: boolean): void {
    this.#following = on;
    this.#post({ kind: 'follow', on });
  }

  /** Says which recorders of the cluster are heard, also to later threads. */
  hear(machines: readonly string[]): void {
    if (this.#heard?.join() === machines.join()) return;
    this.#heard = machines;
    this.#post({ kind: 'hear', machines });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (await this.#thread.stop(stopDeadlinesMs.logThread)) return;
    // The thread is left until the process ends: terminating it would abort the process (see LogDatabase.close).
    const text = 'the log was not closed in time: a query does not end; nothing of it is lost';
    this.#surroundings.report(new LogStoreError('log_thread_hangs', text));
  }

  #startThread(): Worker {
    // Read when the thread loads DuckDB; a thread's own environment is a copy that libraries do not see.
    process.env['DUCKDB_JE_MALLOC_CONF'] ??= allocatorLimits;
    return new Worker(script, {
      name: 'log store',
      workerData: {
        ...this.#surroundings.beginning,
        ...{ following: this.#following, heard: this.#heard },
      } satisfies LogWorkerStart,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
  }

  async #available(): Promise<void> {
    if (this.#closing.signal.aborted) throw new StoreError('io', 'the log is closed');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new StoreError('io', 'the log database is being started again');
      timer = setTimeout(reject, queryPatienceMs, error);
    });
    const closed = () => {
      throw new StoreError('io', 'the log is closed');
    };
    try {
      // The wait is aborted only because the log is closed meanwhile.
      await Promise.race([this.#ready.catch(closed), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @returns the error of the failed start, or of the queries that the thread had not answered. */
  #ended({ kind, cause }: WorkerEnd<undefined>): Error {
    const what = kind === 'never-started' ? 'did not start' : 'ended';
    const error = new LogStoreError(
      'log_thread_ended',
      `the log's thread ${what}${cause ? `: ${cause.message}` : ''}`,
    );
    if (kind === 'never-started') return error;
    if (kind === 'died') {
      this.#surroundings.report(error);
      this.#ready = this.#startAgain();
      this.#ready.catch(() => {});
    }
    return new StoreError('io', 'the log database was interrupted; ask again', { cause: error });
  }

  #startAgain(): Promise<void> {
    return retry(() => this.#thread.start(), {
      pauseMs: (attempt) => backoffDelay(restart, attempt, 0),
      signal: this.#closing.signal,
      onFailure: (error) => this.#surroundings.report(error as LogStoreError),
    });
  }

  #hear(message: LogNotice): void {
    const { entries, report } = this.#surroundings;
    if (message.kind === 'problem') report(new LogStoreError(message.code, message.message));
    else {
      entries(message.entries);
      this.#post({ kind: 'taken' });
    }
  }

  #post(message: ToLogWorker): void {
    this.#thread.post(message);
  }
}
