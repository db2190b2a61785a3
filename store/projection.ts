import type { LogEntry } from '../bus/messages.ts';
import type { Replayed, StreamRange } from '../bus/streams.ts';
import { nowMicroseconds } from '../bus/time.ts';
import { LogStoreError } from './log-error.ts';
import type { LogTable, Position } from './log-table.ts';
import { Turns } from './turns.ts';

/** Milliseconds that an entry may wait in memory; it waits on the bus as well, so nothing depends on it. */
const commitDelay = 100;
const retryDelay = 1000;
/** After so many seconds in vain the database is opened anew. */
const patience = 10;
const largestBatch = 10_000;
/** Microseconds that another machine's clock may be ahead. */
const tolerance = 60_000_000;

interface Surroundings {
  /** Gets every entry, with its final time, in order, before it is committed. */
  publish(entry: LogEntry): void;
  report(error: LogStoreError): void;
  /** The database cannot be written to; this projection is of no use any more. */
  giveUp(error: Error): void;
}

/**
 * Turns the log stream into rows. What it does to an entry depends only on the entries before it, so one that
 * was read, but not committed when the process ended, gets the same time again.
 */
export class Projection {
  readonly #table: LogTable;
  readonly #surroundings: Surroundings;
  readonly #waiters = new Set<() => void>();
  /** One commit at a time: a later one must not get past one that fails. */
  readonly #commits = new Turns();
  #position: Position;
  #committed: Position;
  #pending: LogEntry[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  /** @param position what `table` holds. */
  constructor(table: LogTable, position: Position, surroundings: Surroundings) {
    this.#table = table;
    this.#position = position;
    this.#committed = position;
    this.#surroundings = surroundings;
  }

  get position(): Position {
    return this.#position;
  }

  /** Whether the stream is the one that was read until now. Otherwise it has to be read from another place. */
  follows(range: StreamRange): boolean {
    return range.created === this.#position.stream && range.last >= this.#position.sequence;
  }

  /** Begins with a stream whose entries up to this place have been read. */
  align({ created }: StreamRange, sequence: number): void {
    const { stream, sequence: before } = this.#position;
    if (created === stream && sequence >= before) return;
    // Not so for the very first stream.
    if (stream !== '') {
      const what =
        created === stream ? 'the bus has lost its newest log entries' : 'the log stream is a new one';
      const text = `${what}; those that were read before are kept`;
      this.#surroundings.report(new LogStoreError('log_stream_replaced', text));
    }
    this.#position = { ...this.#position, stream: created, sequence };
  }

  /** @throws when the entries before it cannot be committed; then it has not been taken. */
  async accept({ message, sequence }: Replayed<LogEntry>): Promise<void> {
    if (this.#pending.length >= largestBatch) await this.commit();
    // Delivered once more.
    if (sequence <= this.#position.sequence) return;
    const lost = sequence - this.#position.sequence - 1;
    if (lost > 0 && this.#position.sequence > 0) {
      const text = `${lost} log entries were dropped by the bus before they could be stored`;
      this.#surroundings.report(new LogStoreError('log_entries_lost', text));
    }
    let { time } = this.#position;
    if (message) {
      // One wrong clock must not push the time of all later entries ahead.
      const sane = message.time <= nowMicroseconds() + tolerance;
      time = sane ? Math.max(message.time, time + 1) : time + 1;
      const { level, src, monitorID } = message;
      const entry: LogEntry = { level, time, msg: wellFormed(message.msg), src, monitorID };
      this.#pending.push(entry);
      this.#surroundings.publish(entry);
    }
    this.#position = { ...this.#position, sequence, time, readAt: nowMicroseconds() };
    this.#timer ??= setTimeout(() => void this.#commitLater(), commitDelay);
    for (const look of [...this.#waiters]) look();
  }

  /** Waits until the entry at this place was accepted, `deadline` milliseconds at most. */
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
    return this.#commits.run(async () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const [entries, position] = [this.#pending, this.#position];
      if (position === this.#committed) return;
      this.#pending = [];
      try {
        await this.#table.append(entries, position);
        this.#committed = position;
        this.#failures = 0;
      } catch (error) {
        this.#pending = [...entries, ...this.#pending];
        this.#failed(error as Error);
        throw error;
      }
    });
  }

  #failed(cause: Error): void {
    this.#failures += 1;
    if (this.#failures === 1) {
      const text = `log entries cannot be stored: ${cause.message}`;
      this.#surroundings.report(new LogStoreError('log_write_failed', text, { cause }));
    }
    if (this.#failures === patience) this.#surroundings.giveUp(cause);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#commitLater(), retryDelay);
  }

  async #commitLater(): Promise<void> {
    await this.commit().catch(() => {});
  }
}

/** Half a surrogate pair cannot be stored as UTF-8. */
function wellFormed(text: string): string {
  return /\p{Cs}/u.test(text) ? Buffer.from(text).toString() : text;
}
