import { setTimeout as sleep } from 'node:timers/promises';
import { nowUs } from '../base/time.ts';
import { leases } from '../leases.ts';
import type { Log } from '../log.ts';
import type { DetectionEvent } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { type DurableMessage, openDurableReader } from '../nats/durable-reader.ts';
import { placeIn, type StreamPlace, type StreamRange, streamRange } from '../nats/jetstream.ts';
import { events } from '../subjects.ts';
import type { Outcome } from './broker/broker-session.ts';
import type { Deliveries } from './delivery-reports.ts';

/** Name of the reader of EVENTS whose position nats-server keeps. */
const eventReader = 'mqtt';
/** So many events nats-server sends before the first is confirmed, and as many more as may be held. */
const maxUnderWay = 256;
const reopenMs = 200;
const beginMs = 2000;

interface UnderWay {
  /** The same event comes again when the bus was offline. */
  message: DurableMessage<DetectionEvent>;
  /** Undefined until the broker has answered for all detections. */
  outcome: Outcome | undefined;
  isHeld: boolean;
}

interface EventPublisher {
  /** @returns what becomes of it. */
  publish(event: DetectionEvent): Promise<Outcome>;
  /** How many may be held at once: see {@link EventDelivery.hold}. */
  readonly maxHeld: number;
}

/** What waits for the broker. */
export interface EventBacklog {
  /** Events that the broker has not confirmed; not those that wait, or have waited, for another machine. */
  readonly length: number;
  /** When the oldest of them was stored: Unix time in microseconds; null if none waits. */
  readonly oldest: number | null;
  /** Events that expired before they could be delivered. */
  readonly lost: number;
}

/**
 * Publishes every event, in order, at least once, many at a time.
 *
 * The JetStream stream EVENTS is the queue: its server remembers up to which one the broker has confirmed all, so events from
 * while the broker, the bus or this process is offline are delivered later. The stream is bounded by count, bytes and age:
 * events that expire in it before they are delivered are counted and logged. One that is held when the process ends is
 * delivered again, and so is all that came after it. A stream that was made anew, or has lost its newest events, is read from
 * where its other events begin.
 */
export class EventDelivery {
  readonly #bus: Bus;
  readonly #publisher: EventPublisher;
  readonly #deliveries: Deliveries;
  readonly #log: Log;
  /** By sequence number, in their order. */
  readonly #underWay = new Map<number, UnderWay>();
  /** The same, of those that are or were held, until they are settled, with nothing else unsettled before them. */
  readonly #held = new Map<number, UnderWay>();
  readonly #extending: NodeJS.Timeout;
  readonly #running: Promise<void>;
  /** Resolves when the position is known. */
  readonly #begun: Promise<void>;
  #begin = () => {};
  /** All up to this one are confirmed, or are or were held. */
  #passed: number | undefined;
  /** The newest one. */
  #read: StreamPlace | undefined;
  #lost = 0;
  #isClosed = false;
  #closeReader = () => {};

  constructor(bus: Bus, publisher: EventPublisher, deliveries: Deliveries, log: Log) {
    this.#bus = bus;
    this.#publisher = publisher;
    this.#deliveries = deliveries;
    this.#log = log;
    // Keeps nats-server from delivering them again while the broker is offline.
    this.#extending = setInterval(() => {
      for (const { message } of [...this.#held.values(), ...this.#underWay.values()]) message.extend();
    }, leases.mqttDelivery.renewMs);
    this.#begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.#running = this.#run();
  }

  /** @throws if the bus is unreachable. */
  async backlog(): Promise<EventBacklog> {
    await Promise.race([this.#begun, sleep(beginMs, undefined, { ref: false })]);
    const { first, last } = await streamRange(this.#bus, 'EVENTS');
    const [oldest] = this.#underWay.values();
    // Of a reader that is new, nothing is confirmed yet.
    const passed = this.#passed ?? (oldest ? oldest.message.sequence - 1 : last);
    const length = Math.max(0, last - Math.max(passed, first - 1));
    return { length, oldest: oldest?.message.storedAt ?? null, lost: this.#lost };
  }

  /** While it is not known whether an event is to be published, it keeps its place in the stream, and nothing waits for it. */
  hold(eventID: string): void {
    for (const item of this.#underWay.values()) {
      if (item.message.message?.id === eventID) item.isHeld = true;
    }
    this.#passInOrder();
  }

  /** Ends it, within this many milliseconds. What is not confirmed is delivered by the next one. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    // Ends the open request for messages; otherwise the server would deliver messages that are never handled.
    this.#closeReader();
    clearInterval(this.#extending);
    await Promise.race([this.#running, sleep(deadlineMs, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#readAll();
      } catch {
        // The bus is offline: the reader is opened again when it is back.
      }
      if (!this.#isClosed) await sleep(reopenMs);
    }
  }

  async #readAll(): Promise<void> {
    const range = await streamRange(this.#bus, 'EVENTS');
    if (this.#read) await this.#align(range, this.#read);
    const reader = await openDurableReader(this.#bus, events, {
      ...{ stream: 'EVENTS', name: eventReader, lease: leases.mqttDelivery },
      maxPending: maxUnderWay + this.#publisher.maxHeld,
      // A reader that is new begins with what is stored from now on.
      readUpTo: this.#read?.sequence ?? range.last,
    });
    const { identity } = range;
    if (reader.confirmed > 0) {
      this.#passed ??= reader.confirmed;
      this.#read ??= { identity, sequence: reader.confirmed, storedAt: nowUs() };
    }
    this.#begin();
    this.#closeReader = reader.close;
    if (this.#isClosed) reader.close();
    for await (const message of reader) {
      if (this.#isClosed) break;
      this.#take(message, identity);
    }
  }

  /** What was read and is no longer in the stream goes on its way to the broker all the same; its numbers are others' now. */
  async #align(range: StreamRange, read: StreamPlace): Promise<void> {
    const { identity } = range;
    const sequence = await placeIn(this.#bus, 'EVENTS', range, read);
    if (identity === read.identity && sequence === read.sequence) return;
    for (const items of [this.#underWay, this.#held]) {
      for (const each of [...items.keys()]) if (each > sequence) items.delete(each);
    }
    if (this.#passed !== undefined) this.#passed = Math.min(this.#passed, sequence);
    this.#read = { ...read, identity, sequence };
    const isNew = identity !== read.identity;
    const what = isNew ? 'the stream of events is a new one' : 'the bus has lost its newest events';
    this.#log.warning(`${what}; those that were read before are published all the same`);
  }

  /** @param identity of the stream. */
  #take(message: DurableMessage<DetectionEvent>, identity: string): void {
    const { sequence } = message;
    const known = this.#underWay.get(sequence) ?? this.#held.get(sequence);
    if (known) known.message = message;
    else if (sequence <= (this.#passed ?? 0)) message.confirm();
    else {
      this.#noticeGap(sequence);
      this.#read = { identity, sequence, storedAt: message.storedAt };
      void this.#deliver(sequence, message);
    }
  }

  async #deliver(sequence: number, message: DurableMessage<DetectionEvent>): Promise<void> {
    const item: UnderWay = { message, outcome: undefined, isHeld: false };
    this.#underWay.set(sequence, item);
    // Undefined for an event of a wrong shape, which cannot be delivered.
    item.outcome = message.message ? await this.#publisher.publish(message.message) : 'refused';
    // Its number may be another event's by now.
    if (this.#held.get(sequence) !== item) return this.#passInOrder();
    this.#held.delete(sequence);
    this.#confirm(item);
  }

  #passInOrder(): void {
    if (this.#isClosed) return;
    for (const [sequence, item] of this.#underWay) {
      if (item.outcome === undefined && !item.isHeld) break;
      this.#passed = sequence;
      this.#underWay.delete(sequence);
      if (item.outcome === undefined) this.#held.set(sequence, item);
      else this.#confirm(item);
    }
  }

  #confirm({ message, outcome }: UnderWay): void {
    message.confirm();
    if (outcome === 'delivered') this.#report(message);
  }

  #report({ message, storedAt }: DurableMessage<DetectionEvent>): void {
    if (!message) return;
    const { id: eventID, monitorID, source, time } = message;
    this.#deliveries.add({ eventID, monitorID, source, time, storedAt, deliveredAt: nowUs() });
  }

  #noticeGap(sequence: number): void {
    const lost = this.#read === undefined ? 0 : sequence - this.#read.sequence - 1;
    if (lost <= 0) return;
    this.#lost += lost;
    this.#log.error(`${lost} events expired before they could be delivered to the broker`);
  }
}
