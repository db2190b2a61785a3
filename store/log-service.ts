import { setTimeout as sleep } from 'node:timers/promises';
import { DeliverPolicy } from '@nats-io/jetstream';
import type { Bus } from '../bus/connection.ts';
import type { LogEntry } from '../bus/messages.ts';
import { ensureStreams, type Replay, replay, type StreamRange, streamRange } from '../bus/streams.ts';
import { logs } from '../bus/subjects.ts';
import { nowMicroseconds } from '../bus/time.ts';
import type { Beginning, FromThread, ToThread } from './log-messages.ts';
import type { LogTable, Position } from './log-table.ts';
import { Projection } from './projection.ts';
import { Turns } from './turns.ts';

const hour = 60 * 60 * 1000;
/** Milliseconds that a query waits for entries that are on the bus already. */
const patience = 500;

interface Surroundings {
  readonly beginning: Beginning;
  tell(message: FromThread): void;
  /** Ends the thread. */
  fail(error: Error): void;
}

/** What the log store's thread does: reads the stream into the table, answers queries, posts what is new. */
export class LogService {
  readonly #table: LogTable;
  readonly #bus: Bus;
  readonly #surroundings: Surroundings;
  readonly #projection: Projection;
  /** The bus may come back twice in a row; only one reader may remain. */
  readonly #resumes = new Turns();
  #reader: Replay | undefined;
  #pruning: NodeJS.Timeout | undefined;
  #following: boolean;
  #outgoing: LogEntry[] = [];

  constructor(table: LogTable, position: Position, bus: Bus, surroundings: Surroundings) {
    this.#table = table;
    this.#bus = bus;
    this.#surroundings = surroundings;
    this.#following = surroundings.beginning.following;
    this.#projection = new Projection(table, position, {
      publish: (entry) => {
        if (!this.#following) return;
        // What arrives together is posted together.
        if (this.#outgoing.push(entry) === 1) setImmediate(() => this.#post());
      },
      report: ({ code, message }) => surroundings.tell({ kind: 'problem', code, message }),
      giveUp: surroundings.fail,
    });
  }

  /** @throws when the bus does not answer. */
  async start(): Promise<void> {
    await this.#resume();
    this.#bus.onReconnect(() => void this.#resumeSoon());
    this.#pruning = setInterval(() => void this.#prune(), hour);
    void this.#prune();
  }

  async answer({ id, filter, oldestFirst }: Extract<ToThread, { kind: 'query' }>): Promise<void> {
    const { tell } = this.#surroundings;
    try {
      await this.#arrive();
      // What a query shows has been committed. Should that fail now, it shows what was committed before.
      await this.#projection.commit().catch(() => {});
      tell({ kind: 'answer', id, entries: await this.#table.read(filter, oldestFirst) });
    } catch (error) {
      tell({ kind: 'refusal', id, message: (error as Error).message });
    }
  }

  follow(on: boolean): void {
    this.#following = on;
    if (!on) this.#outgoing = [];
  }

  /** Commits what has arrived; the table is left to its owner. */
  async close(): Promise<void> {
    clearInterval(this.#pruning);
    this.#reader?.stop();
    this.#reader = undefined;
    await this.#projection.commit().catch(() => {});
    await this.#bus.close();
  }

  /** Reads on where the table ends, or goes on reading if that is what happens already. */
  async #resume(): Promise<void> {
    await ensureStreams(this.#bus);
    const range = await streamRange(this.#bus, 'LOGS');
    if (this.#reader && this.#projection.follows(range)) return;
    this.#reader?.stop();
    this.#projection.align(range, await this.#placeIn(range));
    const next = this.#projection.position.sequence + 1;
    const mine: Replay = replay(this.#bus, 'LOGS', logs, next, async (replayed) => {
      // What another stream's reader had in hand when it was stopped has no place here.
      if (mine === this.#reader) await this.#projection.accept(replayed);
    });
    this.#reader = mine;
  }

  /** The place of the newest entry in the stream that has been read. */
  async #placeIn({ created, last }: StreamRange): Promise<number> {
    const { stream, sequence, readAt } = this.#projection.position;
    if (created !== stream) return 0;
    if (last >= sequence) return sequence;
    // A power cut has taken the newest entries, and perhaps their places have been given to others since.
    const consumer = await this.#bus.native.stream.consumers.get('LOGS', {
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: new Date(readAt / 1000).toISOString(),
    });
    const next = await consumer.next({ expires: 1000 });
    await consumer.delete();
    return next ? next.seq - 1 : last;
  }

  async #resumeSoon(): Promise<void> {
    while (this.#bus.connected) {
      try {
        return await this.#resumes.run(() => this.#resume());
      } catch {
        await sleep(patience);
      }
    }
  }

  /** Waits until what is on the bus now has been read, so that a query shows what was written before it. */
  async #arrive(): Promise<void> {
    if (!this.#bus.connected) return;
    const range = await Promise.race([
      streamRange(this.#bus, 'LOGS').catch(() => undefined),
      sleep(patience, undefined, { ref: false }),
    ]);
    if (range?.created !== this.#projection.position.stream) return;
    await this.#projection.reached(range.last, patience);
  }

  #post(): void {
    const entries = this.#outgoing;
    this.#outgoing = [];
    if (entries.length > 0) this.#surroundings.tell({ kind: 'entries', entries });
  }

  async #prune(): Promise<void> {
    const { maxAgeDays, maxSizeMegabytes } = this.#surroundings.beginning;
    const oldest = Math.floor(nowMicroseconds() - maxAgeDays * 24 * hour * 1000);
    // What fails now, on a full disk perhaps, is due again in an hour.
    await this.#table.prune(oldest, maxSizeMegabytes * 1e6).catch(() => {});
  }
}
