import type { ChildProcess } from 'node:child_process';
import { CountedTimeout } from './counted-timeout.ts';
import { guardAgainstOrphan } from './orphan-guard.ts';

/**
 * How a child process ended. `how` is a text that continues its name: `was ended by SIGKILL`, `ended with code 1`,
 * `did not answer for 15 s`, `did not start: spawn nats-server ENOENT`.
 */
export interface ChildEnd {
  readonly kind: /** It could not be run, or ended before it was ready. */
    | 'never-started'
    /** It ended by itself, was killed by another process, or sent no heartbeat for too long. */
    | 'died'
    /** It was asked to stop; after the deadline it was killed. */
    | 'stopped';
  readonly how: string;
  /** The last line of its standard error, if that is a pipe. */
  readonly lastLine: string;
}

export interface ChildOptions<Message> {
  /** Starts the process: `fork`, `spawn`. */
  readonly start: () => ChildProcess;
  /** Called with each IPC message. Every message counts as a heartbeat. */
  readonly onMessage?: (message: Message, child: SupervisedChild<Message>) => void;
  /** Killed if not ready after this long. */
  readonly readyMs?: number;
  /** Killed if no message arrives for this long. */
  readonly silenceMs?: number;
  /** Asks it to end: by a signal or a message. Not by `disconnect()`, after which Node.js emits no `close`. */
  readonly askToStop: (child: ChildProcess) => void;
  /** Killed if it has not ended this long after that. */
  readonly stopMs: number;
  /** Killed if it has not ended this long after this process. */
  readonly orphanMs: number;
}

const maxErrorOutput = 2000;

/**
 * One run of a child process, from its start to its end. Whether there is another run is its owner's decision.
 *
 * Time-outs are counted, not measured, so a suspension of the machine or of this process ends no child.
 */
export class SupervisedChild<Message = never> {
  readonly #options: ChildOptions<Message>;
  readonly #process: ChildProcess;
  readonly #starting: CountedTimeout | undefined;
  readonly #silence: CountedTimeout | undefined;
  /** Resolves when the process has ended and all its messages have been received. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  #kill: NodeJS.Timeout | undefined;
  #isReady = false;
  #isStopping = false;
  #errorOutput = '';
  /** Reason why this process killed it. */
  #reason: string | undefined;

  constructor(options: ChildOptions<Message>) {
    const { readyMs, silenceMs } = options;
    this.#options = options;
    this.#process = options.start();
    const watch = (ms: number | undefined, reason: string) =>
      ms === undefined ? undefined : new CountedTimeout(ms, () => this.kill(`${reason} ${ms / 1000} s`));
    this.#starting = watch(readyMs, 'was not ready within');
    this.#silence = watch(silenceMs, 'did not answer for');
    this.#starting?.restart();
    this.#silence?.restart();
    this.ended = this.#supervise();
  }

  /** 0 if it could not be run. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Called by the owner when the process does its work. An end before that counts as a failed start. */
  markReady(): void {
    this.#isReady = true;
    this.#starting?.stop();
  }

  /** Sends a message over IPC. It is dropped if the process has ended. */
  send(message: object | string): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** Asks it to end, and kills it after the deadline. Safe to call twice. @returns as `ended` */
  stop(): Promise<ChildEnd> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      this.#options.askToStop(this.#process);
      this.endWithin(this.#options.stopMs);
    }
    return this.ended;
  }

  /** Kills it if it has not ended by itself after this many milliseconds. An earlier deadline is kept. */
  endWithin(ms: number): void {
    this.#kill ??= setTimeout(() => this.kill(`did not end within ${ms / 1000} s`), ms);
  }

  /** @param reason replaces the signal in `how`. */
  kill(reason?: string): void {
    this.#reason ??= reason;
    this.#process.kill('SIGKILL');
  }

  #supervise(): Promise<ChildEnd> {
    const { onMessage, orphanMs } = this.#options;
    const child = this.#process;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-maxErrorOutput);
    });
    child.on('message', (message) => {
      this.#silence?.restart();
      onMessage?.(message as Message, this);
    });
    const release = child.pid === undefined ? () => {} : guardAgainstOrphan(child.pid, orphanMs);
    return new Promise((resolve) => {
      const finish = (how: string) => {
        this.#starting?.stop();
        this.#silence?.stop();
        clearTimeout(this.#kill);
        release();
        resolve(this.#end(this.#reason ?? how));
      };
      child.on('error', ({ message }) => {
        if (child.pid === undefined) finish(message);
      });
      // `close` comes after all output and messages of the process.
      child.once('close', (code, signal) =>
        finish(signal ? `was ended by ${signal}` : `ended with code ${code}`),
      );
    });
  }

  #end(how: string): ChildEnd {
    const lastLine = this.#errorOutput.trim().split('\n').at(-1) ?? '';
    if (this.#isStopping) return { kind: 'stopped', how, lastLine };
    if (this.#isReady) return { kind: 'died', how, lastLine };
    return { kind: 'never-started', how: `did not start: ${how}`, lastLine };
  }
}
