import { nuid } from '@nats-io/transport-node';
import { Queue } from '../base/queue.ts';
import type { Channel } from '../channel.ts';
import type { Bus } from './bus.ts';

const inFlightLimit = 500;
const retryPauseMs = 200;
/** Limit of the waiting payloads together, however few messages they are. */
const maxBytes = 32_000_000;

interface Waiting {
  readonly place: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly id: string;
}

/**
 * Stores messages on the bus in the order in which they were added, and retries while the bus is unreachable.
 *
 * The queue is bounded: past the limit the oldest messages are dropped, and their number is reported when the bus accepts
 * messages again.
 */
export class Outbox {
  readonly #waiting = new Queue<Waiting>();
  #bytes = 0;
  readonly #limit: number;
  readonly #onLost: (count: number) => void;
  readonly #failed: Waiting[] = [];
  #added = 0;
  #inFlight = 0;
  /** How many messages may be in flight. After a failure it is 1, until one message succeeds. */
  #window = inFlightLimit;
  #lost = 0;
  #bus: Bus | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(limit: number, onLost: (count: number) => void) {
    this.#limit = limit;
    this.#onLost = onLost;
  }

  /** Sends new messages, and those already waiting, to this bus. */
  attach(bus: Bus): void {
    this.#bus = bus;
    bus.onReconnect(() => {
      // A server that has just started may refuse the first message and accept the second.
      this.#window = 1;
      this.#pump();
    });
    this.#pump();
  }

  /** @param id makes a second attempt harmless if only the acknowledgement of the first one was lost. */
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

  /** Waits until the bus has stored everything, for at most `deadline` milliseconds. @returns whether it has. */
  async flush(deadline: number): Promise<boolean> {
    const end = Date.now() + deadline;
    const isEmpty = () => this.#waiting.length + this.#failed.length + this.#inFlight === 0;
    while (!isEmpty() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    return isEmpty();
  }

  #pump(): void {
    const bus = this.#bus;
    // While it is offline the client buffers messages, and silently drops the oldest when its buffer is full.
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

  /** Called when no message is in flight any more, so that those that failed are sent again in their order. */
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
