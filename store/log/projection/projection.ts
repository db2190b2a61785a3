import { Mutex } from '../../../bus/base/mutex.ts';
import { nowUs } from '../../../bus/base/time.ts';
import type { Replayed, StreamRange } from '../../../bus/nats/jetstream.ts';
import { LogStoreError } from '../schema/log-store-error.ts';
import { type LogTimes, maxAheadUs } from '../schema/log-times.ts';
import type { Position } from './position.ts';

export const usualCommitDelayMs = 100;
const retryDelay = 1000;
/** After so many seconds in vain the database is opened anew. */
const maxFailures = 10;
const maxBatchSize = 10_000;
/** After a repair, in milliseconds: one that does not help is not repeated for each message. */
const repairPauseMs = 60_000;

export interface ProjectionOptions<Message, Row> {
  /** The name of the messages in reports: `log entries`. */
  readonly name: string;
  /** Stores rows and the position behind them: both or nothing. */
  append(rows: readonly Row[], position: Position): Promise<void>;
  /** @param before the time of the row before it. @param storedAt when the bus took the message. */
  row(message: Message, before: number, storedAt: number): Row;
  /**
   * Corrects the times of rows that are in the future, because the clock was set back since. Rows are not appended meanwhile.
   *
   * @returns the time of the last row.
   */
  repairTimes?(times: LogTimes): Promise<number>;
  /** Whether the stream is another machine's, whose clock differs from this one's: what its bus noted is its time. */
  readonly isDistant?: boolean;
  /** How long a row may wait in memory, if not 100 ms: it waits on the bus as well, and answers are given after a commit. */
  commitDelayMs?(row: Row): number;
  /** Gets every row in order, before it is committed. A promise that it returns is awaited before the next. */
  publish?(row: Row): Promise<void> | void;
  report(error: LogStoreError): void;
  /** The database cannot be written to; this projection is of no use any more. */
  giveUp(error: Error): void;
}

/**
 * Turns a stream of the bus into rows. What it does to a message depends only on those before it, so one that was
 * read, but not committed when the process ended, becomes the same row again.
 */
export class Projection<Message, Row extends { readonly time: number }> {
  readonly #options: ProjectionOptions<Message, Row>;
  readonly #waiters = new Set<() => void>();
  /** One commit at a time: a later one must not get past one that fails. */
  readonly #commits = new Mutex();
  /** Of the last row when this one was made. */
  readonly #earlier: number;
  /** Of the monotonic clock. */
  #repairedMs = Number.NEGATIVE_INFINITY;
  #position: Position;
  #committed: Position;
  #pending: Row[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Of the monotonic clock: when the timer expires. */
  #dueMs = 0;
  #failures = 0;

  /** @param position what the database holds. */
  constructor(position: Position, options: ProjectionOptions<Message, Row>) {
    this.#position = position;
    this.#committed = position;
    this.#earlier = position.time;
    this.#options = options;
  }

  get position(): Position {
    return this.#position;
  }

  /** Whether the stream is the one that was read until now. Otherwise it has to be read from another place. */
  follows(range: StreamRange): boolean {
    return range.identity === this.#position.identity && range.last >= this.#position.sequence;
  }

  /** Begins with a stream whose messages up to this place have been read. */
  align({ identity, first }: StreamRange, sequence: number): void {
    const { identity: known, sequence: before } = this.#position;
    if (identity === known && sequence >= before) {
      this.#missUntil(first);
      return;
    }
    // Not so for the very first stream.
    if (known !== '') {
      const { name } = this.#options;
      const what =
        identity === known ? `the bus has lost its newest ${name}` : `the stream of ${name} is a new one`;
      const text = `${what}; those that were read before are kept`;
      this.#options.report(new LogStoreError('log_stream_replaced', text));
    }
    this.#position = { ...this.#position, identity, sequence, gaps: this.#gaps + 1 };
    this.#commitWithin(usualCommitDelayMs);
  }

  /** What was to come before this message is no longer in the stream. */
  #missUntil(next: number): void {
    const { sequence } = this.#position;
    const lost = next - sequence - 1;
    if (lost <= 0 || sequence === 0) return;
    const { name, report } = this.#options;
    const text = `${lost} ${name} were dropped by the bus before they could be stored`;
    report(new LogStoreError('log_entries_lost', text));
    this.#position = { ...this.#position, sequence: next - 1, gaps: this.#gaps + 1 };
    this.#commitWithin(usualCommitDelayMs);
  }

  get #gaps(): number {
    return this.#position.gaps ?? 0;
  }

  /** @throws when the messages before it cannot be committed; then it has not been taken. */
  async accept({ message, sequence, storedAt }: Replayed<Message>): Promise<void> {
    if (this.#pending.length >= maxBatchSize) await this.commit();
    // Delivered once more.
    if (sequence <= this.#position.sequence) return;
    const { row, publish, commitDelayMs } = this.#options;
    // A microsecond later, so that this message is one of those before.
    const now = this.#options.isDistant ? storedAt + 1 : nowUs();
    await this.#repairTimes(now);
    this.#missUntil(sequence);
    const made = message && row(message, this.#position.time, storedAt);
    if (made) this.#pending.push(made);
    const published = made && publish?.(made);
    const time = made?.time ?? this.#position.time;
    // The clock may have been set back since the bus took it.
    this.#position = { ...this.#position, sequence, time, readAt: Math.max(now, storedAt + 1) };
    this.#commitWithin((made && commitDelayMs?.(made)) ?? usualCommitDelayMs);
    for (const look of this.#waiters) look();
    // Only now: a row without its place must not be committed.
    await published;
  }

  /** A failure leaves the times ahead; the next attempt is a minute later. */
  async #repairTimes(now: number): Promise<void> {
    const { repairTimes } = this.#options;
    const isAhead = this.#position.time > now + maxAheadUs;
    if (!repairTimes || !isAhead || performance.now() - this.#repairedMs < repairPauseMs) return;
    this.#repairedMs = performance.now();
    await this.commit();
    await this.#commits.runExclusive(async () => {
      const { time: newest } = this.#position;
      const times = { now, newest, earlier: this.#earlier };
      const time = await repairTimes(times).catch(() => newest);
      if (time !== newest) this.#position = { ...this.#position, time };
    });
  }

  /** Waits until the message at this place was accepted, `deadline` milliseconds at most. */
  async reached(sequence: number, deadline: number): Promise<void> {
    if (this.#position.sequence >= sequence) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      const look = () => {
        if (this.#position.sequence >= sequence) done();
      };
      const timer = setTimeout(done, deadline);
      this.#waiters.add(look);
    });
  }

  /** Stores what was accepted. When that fails, it stays accepted and is tried again. */
  commit(): Promise<void> {
    return this.#commits.runExclusive(async () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const [rows, position] = [this.#pending, this.#position];
      if (position === this.#committed) return;
      this.#pending = [];
      try {
        await this.#options.append(rows, position);
        this.#committed = position;
        this.#failures = 0;
      } catch (error) {
        this.#pending = [...rows, ...this.#pending];
        this.#failed(error as Error);
        throw error;
      }
    });
  }

  #commitWithin(ms: number): void {
    const dueMs = performance.now() + ms;
    if (this.#timer && this.#dueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => void this.#commitLater(), ms);
  }

  #failed(cause: Error): void {
    this.#failures += 1;
    if (this.#failures === 1) {
      const text = `${this.#options.name} cannot be stored: ${cause.message}`;
      this.#options.report(new LogStoreError('log_write_failed', text, { cause }));
    }
    if (this.#failures === maxFailures) this.#options.giveUp(cause);
    clearTimeout(this.#timer);
    // Nothing that arrives in the meantime makes it earlier.
    this.#dueMs = 0;
    this.#timer = setTimeout(() => void this.#commitLater(), retryDelay);
  }

  async #commitLater(): Promise<void> {
    await this.commit().catch(() => {});
  }
}
