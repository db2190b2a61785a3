import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Mutex } from '../../../bus/base/mutex.ts';
import { invalidStatement, StoreError } from '../../base/store-error.ts';
import type { SqlFormat } from '../sql/sql-format.ts';
import type { SqlResult } from '../sql/sql-runner.ts';
import { SqlProcess } from './sql-process.ts';

/** The log's file, and the one that writes it. */
export interface WrittenLog {
  readonly file: string;
  /** Commits what was logged so far. @returns see `LogDatabase.version`. @throws {StoreError} `busy`, `io` */
  commit(): Promise<string>;
  /** @throws {StoreError} `io` */
  version(): Promise<string>;
  /** What a statement may take whose answer is no stream; 5 if undefined. */
  readonly answerSeconds?: number | undefined;
}

const limits = { waiting: 4, streams: 2, answerSeconds: 5, streamSeconds: 120, openSeconds: 60 };
const maxAttempts = 3;
/** An idle process is ended after this long, and copies of the log are removed. */
const keptMs = { process: 30_000, copies: 600_000 };

const givenUp = () => invalidStatement('the statement was given up');
const late = (seconds: number) => invalidStatement(`the statement took longer than ${seconds} seconds`);

/** Runs users' statements, each in a process of its own. A process waits for the next statement for a while. */
export class SqlProcesses {
  readonly #log: WrittenLog;
  readonly #folder: string;
  readonly #ready: Promise<void>;
  readonly #turns = new Mutex();
  readonly #processes = new Set<SqlProcess>();
  readonly #idle = new Map<SqlProcess, NodeJS.Timeout>();
  #waiting = 0;
  #streams = 0;
  #closed = false;
  #cleanup: NodeJS.Timeout | undefined;

  constructor(log: WrittenLog) {
    this.#log = log;
    this.#folder = join(dirname(log.file), 'sql');
    // What a kill has left.
    this.#ready = this.#removeCopies();
  }

  /** @throws {StoreError} `invalid` if the statement is refused, wrong, or exceeds a limit; `busy` if too many wait; `io` */
  async run(sql: string, signal: AbortSignal): Promise<SqlResult> {
    if (this.#waiting >= limits.waiting) {
      throw new StoreError('busy', 'other statements are waiting; try again');
    }
    this.#waiting += 1;
    try {
      return await this.#turns.runExclusive(() => this.#run(sql, signal));
    } finally {
      this.#waiting -= 1;
    }
  }

  /**
   * The result in pieces, each of which is made when it is asked for.
   *
   * @throws {StoreError} with the first piece, as `run`; later, if the rest cannot be had.
   */
  async *stream(sql: string, format: SqlFormat, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#streams >= limits.streams) {
      throw new StoreError('busy', `${limits.streams} answers are being read; try again`);
    }
    this.#streams += 1;
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#streams -= 1;
      isHeld = false;
    };
    try {
      const process = await this.#open(signal);
      // Also when the client reads no more.
      void process.ended.then(release);
      const unwatch = this.#watch(process, limits.streamSeconds, signal);
      try {
        if (signal.aborted) throw givenUp();
        await process.ask('stream', { sql, format });
        for (let isLast = false; !isLast; ) {
          if (signal.aborted) throw givenUp();
          const next = await process.ask('next', undefined);
          if (next.piece.length > 0) yield next.piece;
          ({ isLast } = next);
        }
      } finally {
        unwatch();
        // A result that was not read to its end is dropped with the next statement.
        this.#keep(process);
      }
    } finally {
      release();
    }
  }

  /** Ends all statements at once. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#cleanup);
    const processes = [...this.#processes];
    for (const process of processes) process.kill(givenUp());
    await Promise.all([this.#ready, ...processes.map(({ ended }) => ended)]);
    await this.#removeCopies();
  }

  async #run(sql: string, signal: AbortSignal): Promise<SqlResult> {
    const process = await this.#open(signal);
    const { answerSeconds = limits.answerSeconds } = this.#log;
    const unwatch = this.#watch(process, answerSeconds, signal);
    try {
      if (signal.aborted) throw givenUp();
      return await process.ask('run', { sql });
    } finally {
      unwatch();
      this.#keep(process);
    }
  }

  /** @returns a process that sees all that was logged so far. */
  async #open(signal: AbortSignal): Promise<SqlProcess> {
    await this.#ready;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (this.#closed || signal.aborted) throw givenUp();
      const version = await this.#log.commit();
      if (this.#closed || signal.aborted) throw givenUp();
      const process = this.#take();
      const isWhole = await this.#read(process, version);
      // A client that goes meanwhile leaves its process to the next statement: to begin another would take longer.
      if (isWhole && !signal.aborted) return process;
      this.#keep(process);
    }
    throw new StoreError('busy', 'the log is being compacted; try again');
  }

  /** @returns false if blocks were written to outside of checkpoints meanwhile: then the copy is not whole. */
  async #read(process: SqlProcess, version: string): Promise<boolean> {
    const late = () =>
      process.kill(new StoreError('io', `the log could not be copied in ${limits.openSeconds} s`));
    const timer = setTimeout(late, limits.openSeconds * 1000);
    try {
      await process.ask('open', { file: this.#log.file, folder: this.#folder, version });
      return (await this.#log.version()) === version;
    } catch (error) {
      this.#keep(process);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(): SqlProcess {
    clearTimeout(this.#cleanup);
    for (const [process, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(process);
      if (process.isAlive) return process;
    }
    const process = new SqlProcess(this.#folder);
    this.#processes.add(process);
    void process.ended.then(() => {
      this.#processes.delete(process);
      this.#cleanUpLater();
    });
    return process;
  }

  /** Lets the next statement have it, for a while. */
  #keep(process: SqlProcess): void {
    if (!process.isAlive || this.#closed) return;
    const end = () => {
      this.#idle.delete(process);
      process.kill(givenUp());
    };
    this.#idle.set(process, setTimeout(end, keptMs.process).unref());
  }

  /** Ends the statement when it takes too long, or when its answer is no longer wanted. */
  #watch(process: SqlProcess, seconds: number, signal: AbortSignal): () => void {
    const timer = setTimeout(() => process.interrupt(late(seconds)), seconds * 1000);
    const abort = () => {
      if (process.isBusy) process.interrupt(givenUp());
    };
    signal.addEventListener('abort', abort, { once: true });
    return () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
  }

  #cleanUpLater(): void {
    clearTimeout(this.#cleanup);
    if (this.#closed || this.#processes.size > 0) return;
    this.#cleanup = setTimeout(() => void this.#removeCopies(), keptMs.copies).unref();
  }

  async #removeCopies(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true }).catch(() => {});
  }
}
