import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelay } from '../../../bus/base/backoff.ts';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { Channel } from '../../../bus/channel.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import {
  ensureStreams,
  placeIn,
  type Replay,
  type Replayed,
  replay,
  type StreamName,
  type StreamRange,
  streamRange,
} from '../../../bus/nats/jetstream.ts';
import type { Projection } from './projection.ts';

/** Milliseconds that a query waits for messages that are on the bus already. */
const readWaitMs = 500;
/** Between two attempts to reach another machine's stream: it may be off, or a tie-breaker, which has none. */
const remoteRetry = { minMs: 1000, maxMs: 5000 };
/** Microseconds by which a message may seem to be taken by the bus after it was read. */
const slackUs = 1_000_000;

/** A stream of the bus, and what it holds. */
export interface StreamSource<Message> {
  readonly bus: Bus;
  readonly stream: StreamName;
  readonly channel: Channel<readonly string[], Message>;
  /** Of another machine's stream, which that machine makes. */
  readonly domain?: string | undefined;
}

/** Reads a stream into its projection, from where that ends, whatever happens to the bus. */
export class StreamReader<Message, Row extends { readonly time: number }> {
  readonly #source: StreamSource<Message>;
  readonly #projection: Projection<Message, Row>;
  /** The bus may come back twice in a row; only one replay may remain. */
  readonly #resumes = new Mutex();
  #replay: Replay | undefined;
  /** How many replays of another machine's stream in a row were interrupted soon. */
  #interruptions = 0;
  #closed = false;

  constructor(source: StreamSource<Message>, projection: Projection<Message, Row>) {
    this.#source = source;
    this.#projection = projection;
  }

  /** Another machine's stream is waited for. @throws when the bus does not answer. */
  async start(): Promise<void> {
    if (this.#source.domain === undefined) await this.#resume();
    else void this.#resumeSoon();
    this.#source.bus.onReconnect(() => void this.#resumeSoon());
  }

  /**
   * Waits until what is on the bus now has been read and, if the database takes it, committed, so that a query shows
   * what was written before it.
   *
   * @returns whether all of it was committed.
   */
  arrive(patienceMs = readWaitMs): Promise<boolean> {
    // No answer waits for another machine.
    return this.#source.domain === undefined ? this.catchUp(patienceMs) : this.#commit(false);
  }

  /** The same of another machine's stream as well. @param patienceMs for so long at most. */
  async catchUp(patienceMs: number): Promise<boolean> {
    const { bus, stream, domain } = this.#source;
    let isComplete = false;
    if (bus.connected) {
      const range = await Promise.race([
        streamRange(bus, stream, domain).catch(() => undefined),
        sleep(patienceMs, undefined, { ref: false }),
      ]);
      if (range?.identity === this.#projection.position.identity) {
        await this.#projection.reached(range.last, patienceMs);
        isComplete = this.#projection.position.sequence >= range.last;
      }
    }
    return this.#commit(isComplete);
  }

  /** Reads no more, and commits what has arrived. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#replay?.stop();
    this.#replay = undefined;
    await this.#projection.commit().catch(() => {});
  }

  #commit(isComplete: boolean): Promise<boolean> {
    return this.#projection.commit().then(
      () => isComplete,
      () => false,
    );
  }

  /** Reads on where the projection ends, or goes on reading if that is what happens already. */
  async #resume(): Promise<void> {
    const { bus, stream, channel, domain } = this.#source;
    if (domain === undefined) await ensureStreams(bus, stream === 'TENURES');
    const range = await streamRange(bus, stream, domain);
    if (this.#closed) return;
    if (this.#replay && this.#projection.follows(range)) return;
    this.#replay?.stop();
    this.#projection.align(range, await this.#placeIn(range));
    const { sequence, readAt } = this.#projection.position;
    const deliver = async (replayed: Replayed<Message>) => {
      // A message that another replay was handling when it was stopped does not belong here.
      if (mine !== this.#replay) return;
      const isOther = replayed.sequence === sequence && replayed.storedAt > readAt + slackUs;
      if (!isOther) return this.#projection.accept(replayed);
      // As if it ended before: the message that was read is no longer there.
      const place = Math.min(await this.#placeIn({ ...range, last: sequence - 1 }), sequence - 1);
      if (mine === this.#replay) this.#goBack(range, place);
    };
    const began = performance.now();
    const onInterrupted = () => {
      if (mine === this.#replay) this.#replay = undefined;
      const isSoon = performance.now() - began < remoteRetry.maxMs;
      this.#interruptions = isSoon ? this.#interruptions + 1 : 1;
      void this.#resumeSoon(this.#interruptions - 1);
    };
    const remote = domain === undefined ? undefined : { domain, onInterrupted };
    // The newest message that was read comes once more, if it is still there: its place may have been given to another one.
    const mine: Replay = replay(bus, stream, channel, sequence, deliver, remote);
    this.#replay = mine;
  }

  /** Reads on from behind a place before the newest one that has been read. */
  #goBack(range: StreamRange, place: number): void {
    this.#replay?.stop();
    this.#replay = undefined;
    this.#projection.align(range, place);
    void this.#resumeSoon();
  }

  /** The place of the newest message in the stream that has been read. */
  #placeIn(range: StreamRange): Promise<number> {
    const { bus, stream, domain } = this.#source;
    const { identity, sequence, readAt } = this.#projection.position;
    return placeIn(bus, stream, range, { identity, sequence, storedAt: readAt }, domain);
  }

  /** @param failures so many attempts before were in vain. */
  async #resumeSoon(failures = 0): Promise<void> {
    const { bus, domain } = this.#source;
    for (let failed = failures; bus.connected && !this.#closed; failed += 1) {
      if (failed > 0)
        await sleep(domain === undefined ? readWaitMs : backoffDelay(remoteRetry, failed, Math.random()));
      try {
        return await this.#resumes.runExclusive(() => this.#resume());
      } catch {}
    }
  }
}
