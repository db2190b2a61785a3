import { backoffDelay } from '../bus/base/backoff.ts';
import type { Log } from '../bus/log.ts';
import type { FrameFormat } from '../bus/messages.ts';
import { describeLoginPause, loginPauseMs } from './protocol/camera-login-pause.ts';
import type { PipelineEnd } from './protocol/pipeline-protocol.ts';

const reconnect = { minMs: 1000, maxMs: 300_000 };
/** A connection that has held for this long counts as good. */
const steadyAfterMs = 60_000;
/**
 * Each connection leaks descriptors and a quarter of a megabyte in the addon, until the process ends. After so many
 * there is one an hour at most: the recording in the same process goes on.
 */
const manyConnections = 200;
const sparingPauseMs = 3600_000;

/** The part of a decoded stream that a sub stream uses. */
export interface SubStreamConnection {
  /** @param onPicture is called with each picture that has been decoded */
  play(onPicture: () => void): Promise<PipelineEnd>;
  setValves(wanted: ReadonlySet<FrameFormat>): void;
  end(end: PipelineEnd): void;
}

export interface SubStreamOptions {
  /** Which pictures it is for. */
  readonly formats: readonly FrameFormat[];
  /** May throw. @param failures connections that failed in a row */
  readonly open: (failures: number) => SubStreamConnection;
  readonly monitorID: string;
  readonly log: Log;
  /** In [0, 1): spreads the reconnects of many cameras. */
  readonly random: () => number;
  /** Gets why there are no pictures, and null when there are again. */
  readonly onTrouble: (text: string | null) => void;
}

/** The camera's second stream, for detectors. It comes back by itself, and its trouble is nobody else's. */
export class SubStream {
  readonly #options: SubStreamOptions;
  #connection: SubStreamConnection | undefined;
  #connections = 0;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Logins that were refused in a row. */
  #refusals = 0;
  /** Sentences already logged about the present trouble. */
  readonly #said = new Set<string>();
  #wanted: ReadonlySet<FrameFormat> = new Set();
  #closed = false;

  constructor(options: SubStreamOptions) {
    this.#options = options;
  }

  /** The first time, connects as well: a stream that nobody wants is not fetched. */
  setValves(wanted: ReadonlySet<FrameFormat>): void {
    this.#wanted = new Set(this.#options.formats.filter((format) => wanted.has(format)));
    if (this.#connection) this.#connection.setValves(this.#wanted);
    else if (!this.#retry) this.#connectIfWanted();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection?.end({ reason: 'stopped', detail: '' });
  }

  #connectIfWanted(): void {
    if (this.#wanted.size > 0 && !this.#closed) void this.#connect();
  }

  async #connect(): Promise<void> {
    this.#connections += 1;
    const began = performance.now();
    const end = await this.#play().catch(
      (error: Error): PipelineEnd => ({ reason: 'failed', detail: error.message }),
    );
    this.#connection = undefined;
    if (this.#closed) return;
    const held = performance.now() - began;
    if (held > steadyAfterMs) this.#failures = 0;
    const spared = this.#connections < manyConnections ? 0 : sparingPauseMs - held;
    const pause = Math.max(spared, this.#pauseAfter(end));
    this.#sayLost(end.reason === 'unauthorized' ? `${end.detail}; ${describeLoginPause(pause)}` : end.detail);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#connectIfWanted();
    }, pause);
  }

  #pauseAfter({ reason }: PipelineEnd): number {
    if (reason === 'unauthorized') {
      this.#refusals += 1;
      return loginPauseMs(this.#refusals);
    }
    this.#failures += 1;
    return backoffDelay(reconnect, this.#failures, this.#options.random());
  }

  async #play(): Promise<PipelineEnd> {
    const connection = this.#options.open(this.#failures);
    this.#connection = connection;
    connection.setValves(this.#wanted);
    return connection.play(() => {
      this.#refusals = 0;
      this.#sayBack();
    });
  }

  /** Each reason once in a time of trouble, not for each attempt. */
  #sayLost(detail: string): void {
    if (this.#said.has(detail)) return;
    this.#said.add(detail);
    const text = `sub stream: ${detail}; detectors wait for it`;
    this.#options.log.error(text, this.#options.monitorID);
    this.#options.onTrouble(text);
  }

  #sayBack(): void {
    if (this.#said.size === 0) return;
    this.#said.clear();
    this.#options.log.info('sub stream: back', this.#options.monitorID);
    this.#options.onTrouble(null);
  }
}
