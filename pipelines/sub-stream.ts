import type { Log } from '../bus/log.ts';
import type { FrameFormat } from '../bus/messages.ts';
import { Connection, type Sinks } from './connection.ts';
import type { Description } from './description.ts';
import type { PipelineEnd } from './session.ts';

/** Each attempt leaks four descriptors in the addon, so they become rare. */
const firstPause = 2000;
const longestPause = 300_000;
/** A connection that has held for this long counts as good. */
const steadyAfter = 60_000;

export interface SubStreamOptions {
  readonly description: Description;
  readonly monitorID: string;
  readonly log: Log;
  /** Makes what receives the packets of one connection. */
  readonly receivers: () => Sinks;
}

/** The camera's second stream, for detectors. It comes back by itself, and its trouble is nobody else's. */
export class SubStream {
  readonly #options: SubStreamOptions;
  #connection: Connection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #wanted: ReadonlySet<FrameFormat> = new Set();
  #closed = false;

  constructor(options: SubStreamOptions) {
    this.#options = options;
  }

  /** The first time, connects as well: a stream that nobody wants is not fetched. */
  setValves(wanted: ReadonlySet<FrameFormat>): void {
    this.#wanted = new Set(this.#options.description.formats.filter((format) => wanted.has(format)));
    if (this.#connection) this.#connection.setValves(this.#wanted);
    else if (this.#wanted.size > 0 && !this.#retry && !this.#closed) void this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection?.end({ reason: 'stopped', detail: '' });
  }

  async #connect(): Promise<void> {
    const began = Date.now();
    const end = await this.#play().catch(
      (error: Error): PipelineEnd => ({ reason: 'failed', detail: error.message }),
    );
    this.#connection = undefined;
    if (this.#closed) return;
    if (Date.now() - began > steadyAfter) this.#failures = 0;
    this.#sayLost(end);
    const pause = Math.min(longestPause, firstPause * 2 ** this.#failures);
    this.#failures += 1;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#wanted.size > 0) void this.#connect();
    }, pause);
  }

  async #play(): Promise<PipelineEnd> {
    const { description, receivers } = this.#options;
    const connection = new Connection(description, 'rtsp');
    this.#connection = connection;
    connection.setValves(this.#wanted);
    const sinks = Object.entries(receivers()).map(([name, receive]) => {
      const listener = (packet: Buffer) => {
        this.#sayBack();
        receive(packet);
      };
      return [name, listener] as const;
    });
    return connection.play(Object.fromEntries(sinks));
  }

  #troubled = false;

  /** Once for each time of trouble, not for each attempt. */
  #sayLost({ detail }: PipelineEnd): void {
    if (this.#troubled) return;
    this.#troubled = true;
    this.#options.log.warning(`sub stream: ${detail}; detectors wait for it`, this.#options.monitorID);
  }

  #sayBack(): void {
    if (!this.#troubled) return;
    this.#troubled = false;
    this.#options.log.info('sub stream: back', this.#options.monitorID);
  }
}
