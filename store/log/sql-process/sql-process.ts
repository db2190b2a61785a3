import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostEnvironment, hostFlags } from '../../../bus/children/host-process.ts';
import { SupervisedChild } from '../../../bus/children/supervised-child.ts';
import { invalidStatement, StoreError } from '../../base/store-error.ts';
import type { FromSqlHost, SqlInterrupt, SqlStep, SqlSteps, ToSqlHost } from './sql-protocol.ts';

const host = fileURLToPath(new URL('./sql-host.js', import.meta.url));

/**
 * Bytes of memory, in all, of the process of a statement: Node.js takes 120 MB, DuckDB's limit is 256 MB, and the texts that a
 * statement works on are not counted in that limit.
 */
const maxMemoryBytes = 640e6;

/** Below everything else that the recorder does, from its start on. */
const limited = ['-n', '5', 'prlimit', `--data=${maxMemoryBytes}`, '--core=0'];

/** A statement that does not end this long after it was interrupted is ended with its process: DuckDB plans without a break. */
const graceMs = 500;

interface Waiting {
  readonly step: SqlStep;
  /** Why it was interrupted. */
  error?: Error;
  resolve(answer: SqlSteps[SqlStep]['answer']): void;
  reject(error: Error): void;
}

/** A process that runs users' statements, one at a time. */
export class SqlProcess {
  readonly #child: SupervisedChild<FromSqlHost>;
  #waiting: Waiting | undefined;
  #killing: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  /** Resolves when it has ended and its files are removed. Never rejects. */
  readonly ended: Promise<void>;

  /** @param folder in which it puts its copy of the log. */
  constructor(folder: string) {
    this.#child = new SupervisedChild<FromSqlHost>({
      start: () =>
        // A dump of the memory after a crash would fill the disk.
        spawn('nice', [...limited, process.execPath, ...hostFlags, host], {
          env: hostEnvironment(),
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
          serialization: 'advanced',
        }),
      onMessage: (message, child) => {
        child.markReady();
        this.#hear(message);
      },
      askToStop: (process) => process.kill('SIGKILL'),
      stopMs: 0,
      orphanMs: 0,
    });
    this.ended = this.#child.ended.then(async ({ how }) => {
      this.#fail(endError(this.#waiting?.step, how));
      await rm(join(folder, String(this.#child.pid)), { recursive: true, force: true }).catch(() => {});
    });
  }

  /** Whether it can take another step. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  get isBusy(): boolean {
    return this.#waiting !== undefined;
  }

  /** One step at a time. @throws {StoreError} the refusal, the error of `kill`, or that of its end. */
  ask<S extends SqlStep>(step: S, asked: SqlSteps[S]['asked']): Promise<SqlSteps[S]['answer']> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { step, resolve: resolve as Waiting['resolve'], reject };
      this.#child.send({ step, asked } as ToSqlHost);
    });
  }

  /** Ends the present step, whose error is then this one; or the process, if it has none. */
  interrupt(error: Error): void {
    const waiting = this.#waiting;
    if (!waiting) {
      this.kill(error);
      return;
    }
    waiting.error ??= error;
    this.#child.send({ step: 'interrupt' } satisfies SqlInterrupt);
    this.#killing ??= setTimeout(() => this.kill(error), graceMs);
  }

  /** @param error of the present step, and of all later ones. */
  kill(error: Error): void {
    this.#fail(error);
    this.#child.kill();
  }

  #hear(message: FromSqlHost): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(this.#killing);
    this.#killing = undefined;
    if (waiting?.error) waiting.reject(waiting.error);
    else if (message.kind === 'answer') waiting?.resolve(message.answer);
    else {
      const { code, message: text, pointer } = message;
      waiting?.reject(new StoreError(code, text, pointer === undefined ? {} : { pointer }));
    }
  }

  #fail(error: Error): void {
    clearTimeout(this.#killing);
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }
}

/** @param step during which it ended by itself. */
function endError(step: SqlStep | undefined, how: string): StoreError {
  if (step === 'open' || step === undefined) {
    return new StoreError('io', `the process that answers statements ${how}`);
  }
  // Where memory is refused, a program that does not expect it is aborted.
  const megabytes = maxMemoryBytes / 1e6;
  return invalidStatement(
    `the statement takes too much memory (at most ${megabytes} MB): its process ${how}`,
  );
}
