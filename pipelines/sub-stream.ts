import { backoffDelay } from '../bus/base/backoff.ts';
import { monotonicMs, wallClockUs } from '../bus/base/time.ts';
import type { Log } from '../bus/log.ts';
import type { WantedLive } from './live/live-stream.ts';
import { describeLoginPause, loginPauseMs } from './protocol/camera-login-pause.ts';
import type { PipelineEnd } from './protocol/pipeline-protocol.ts';
import type { DetectedUnits } from './stream-connection.ts';

const reconnect = { minMs: 1000, maxMs: 30_000 };
/** A connection that has held for this long counts as good. */
const steadyAfterMs = 60_000;

/** The part of a stream's connection that a sub stream uses. */
export interface SubStreamConnection {
  /** @param onStreaming is called with the first key frame */
  play(onStreaming: () => void): Promise<PipelineEnd>;
  /** To be called after the end. Resolves when its last recording is on disk. */
  finish(): Promise<void>;
  end(end: PipelineEnd): void;
  detect(wanted: DetectedUnits): void;
  undetect(): void;
  watch(wanted: WantedLive): void;
  unwatch(): void;
  recordUntil(until: number): void;
}

export interface SubStreamOptions {
  /** Whether detectors look at it. They ask for pictures some seconds after a start. */
  readonly isDetected: boolean;
  /** A stream that is recorded or detected is always connected; another one when it is watched. */
  readonly isRecorded: boolean;
  /** May throw. @param failures connections that failed in a row */
  readonly open: (failures: number) => SubStreamConnection;
  readonly monitorID: string;
  readonly log: Log;
  /** In [0, 1): spreads the reconnects of many cameras. */
  readonly random: () => number;
  /** Gets why there is no video, and null when there is again. */
  readonly onTrouble: (text: string | null) => void;
}

/** The camera's second stream. It comes back by itself, and its trouble is nobody else's. */
export class SubStream {
  readonly #options: SubStreamOptions;
  #connection: SubStreamConnection | undefined;
  #ended: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Logins that were refused in a row. */
  #refusals = 0;
  /** Sentences already logged about the present trouble. */
  readonly #said = new Set<string>();
  #detected: DetectedUnits | undefined;
  /** As `performance.now()`. */
  #untilMs = 0;
  #watched: WantedLive | undefined;
  #hasBegun = false;
  #closed = false;

  constructor(options: SubStreamOptions) {
    this.#options = options;
  }

  /** May connect from now on: the main stream's login was right, and a wrong password is one login. */
  begin(): void {
    this.#hasBegun = true;
    this.#connectIfWanted();
  }

  /** Sends its pictures to detectors. */
  detect(wanted: DetectedUnits): void {
    this.#detected = wanted;
    if (this.#connection) this.#connection.detect(wanted);
    else this.#connectIfWanted();
  }

  undetect(): void {
    this.#detected = undefined;
    this.#connection?.undetect();
  }

  /** Sends its pictures to viewers. See `LiveStream`. */
  watch(wanted: WantedLive): void {
    this.#watched = wanted;
    if (this.#connection) this.#connection.watch(wanted);
    else this.#connectIfWanted();
  }

  unwatch(): void {
    this.#watched = undefined;
    this.#connection?.unwatch();
  }

  /** @param until Unix time in microseconds */
  recordUntil(until: number): void {
    this.#untilMs = Math.max(this.#untilMs, monotonicMs(until));
    if (this.#connection) this.#record(this.#connection);
  }

  /** Resolves when its last recording is on disk. */
  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection?.end({ reason: 'stopped', detail: '' });
    return this.#ended;
  }

  #connectIfWanted(): void {
    const { isDetected, isRecorded } = this.#options;
    const isWanted = isDetected || isRecorded || this.#detected !== undefined || this.#watched !== undefined;
    const isFree = !this.#connection && !this.#retry && this.#hasBegun && !this.#closed;
    if (isWanted && isFree) this.#ended = this.#connect();
  }

  async #connect(): Promise<void> {
    const began = performance.now();
    const end = await this.#play().catch(
      (error: Error): PipelineEnd => ({ reason: 'failed', detail: error.message }),
    );
    this.#connection = undefined;
    if (this.#closed) return;
    if (performance.now() - began > steadyAfterMs) this.#failures = 0;
    const pause = this.#pauseAfter(end);
    this.#sayLost(end.reason === 'unauthorized' ? `${end.detail}; ${describeLoginPause(pause)}` : end.detail);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#connectIfWanted();
    }, pause);
  }

  #record(connection: SubStreamConnection): void {
    connection.recordUntil(wallClockUs(this.#untilMs));
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
    this.#record(connection);
    if (this.#detected) connection.detect(this.#detected);
    if (this.#watched) connection.watch(this.#watched);
    const end = await connection.play(() => {
      this.#refusals = 0;
      this.#sayBack();
    });
    await connection.finish();
    return end;
  }

  /** Each reason once in a time of trouble, not for each attempt. */
  #sayLost(detail: string): void {
    if (this.#said.has(detail)) return;
    this.#said.add(detail);
    const { isDetected, isRecorded, log, monitorID, onTrouble } = this.#options;
    const waiting = [
      ...(isDetected ? ['detectors'] : []),
      ...(isRecorded ? ['its recording'] : []),
      // Not worth a word where others wait at all times.
      ...(!isDetected && !isRecorded ? ['viewers'] : []),
    ];
    const isOne = !isDetected && isRecorded;
    const text = `${detail}; ${waiting.join(' and ')} ${isOne ? 'waits' : 'wait'} for it`;
    log.error(text, monitorID);
    onTrouble(text);
  }

  #sayBack(): void {
    if (this.#said.size === 0) return;
    this.#said.clear();
    this.#options.log.info('back', this.#options.monitorID);
    this.#options.onTrouble(null);
  }
}
