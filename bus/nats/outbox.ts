import { nuid } from '@nats-io/transport-node';
import { Queue } from '../base/queue.ts';
import type { Channel } from '../channel.ts';
import type { Bus } from './bus.ts';

const inFlightLimit = 500;
const retryPauseMs = 200;
/** What waits may hold so much, however few messages that are. */
const maxBytes = 32_000_000;

interface Waiting {
  readonly place: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly id: string;
}

/**
 * Stores messages on the bus in the order in which they were added, and keeps trying while the bus is away.
 *
 * It holds a bounded number: past it the oldest go, and their number is told once the bus takes messages again.
 */
export class Outbox {
  readonly #waiting = new Queue<Waiting>();
  #bytes = 0;
  readonly #limit: number;
  readonly #onLost: (count: number) => void;
  readonly #failed: Waiting[] = [];
  #added = 0;
  #inFlight = 0;
  /** How many may be under way: after a failure one, whose success lets the others go. */
  #window = inFlightLimit;
  #lost = 0;
  #bus: Bus | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(limit: number, onLost: (count: number) => void) {
    this.#limit = limit;
    this.#onLost = onLost;
  }

  /** From now on messages, and those that waited, go to this bus. */
  attach(bus: Bus): void {
    this.#bus = bus;
    bus.onReconnect(() => {
      // A server that has just come up may refuse the first message and take the second.
      this.#window = 1;
      this.#pump();
    });
    this.#pump();
  }

  /** @param id makes a second attempt harmless when only the first one's acknowledgement was lost. */
  add<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    message: Message,
    id: string = nuid.next(),
  ): void {
    this.#added += 1;
    const payload = channel.encode(message);
    this.#waiting.push({ place: this.#added, subject: channel.subject(...tokens), payload, id });
    this.#bytes += payload.length;
    while (this.#waiting.length > this.#limit || this.#bytes > maxBytes) {
      this.#take();
      this.#lost += 1;
    }
    this.#pump();
  }

  /** Waits until the bus has everything, `deadline` milliseconds at most. */
  async flush(deadline: number): Promise<void> {
    const end = Date.now() + deadline;
    while (this.#waiting.length + this.#failed.length + this.#inFlight > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #pump(): void {
    const bus = this.#bus;
    // Of what it is given while it is away, the client forgets the oldest without a word and sends the rest.
    if (!bus?.connected || this.#retry || this.#failed.length > 0) return;
    while (this.#inFlight < this.#window) {
      const next = this.#take();
      if (!next) return;
      this.#inFlight += 1;
      void this.#send(bus, next);
    }
  }

  #take(): Waiting | undefined {
    const next = this.#waiting.shift();
    this.#bytes -= next?.payload.length ?? 0;
    return next;
  }

  async #send(bus: Bus, next: Waiting): Promise<void> {
    try {
      await bus.storeEncoded(next.subject, next.payload, next.id);
      this.#window = inFlightLimit;
      this.#reportLost();
    } catch {
      this.#failed.push(next);
    }
    this.#inFlight -= 1;
    if (this.#failed.length > 0 && this.#inFlight === 0) this.#tryAgain();
    this.#pump();
  }

  /** Once all that were under way have come back, so that those that failed go again in their order. */
  #tryAgain(): void {
    this.#window = 1;
    const failed = this.#failed.splice(0).sort((a, b) => a.place - b.place);
    this.#waiting.putBack(failed);
    for (const { payload } of failed) this.#bytes += payload.length;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#pump();
    }, retryPauseMs);
  }

  #reportLost(): void {
    if (this.#lost === 0) return;
    const count = this.#lost;
    this.#lost = 0;
    this.#onLost(count);
  }
}
