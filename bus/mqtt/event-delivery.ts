import { setTimeout as sleep } from 'node:timers/promises';
import { nowUs } from '../base/time.ts';
import { leases } from '../leases.ts';
import type { Log } from '../log.ts';
import type { DetectionEvent } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { type DurableMessage, openDurableReader } from '../nats/durable-reader.ts';
import { streamRange } from '../nats/jetstream.ts';
import { events } from '../subjects.ts';
import type { Outcome } from './broker/publication-queue.ts';
import type { Deliveries } from './delivery-reports.ts';

/** Name of the reader of EVENTS whose position nats-server keeps. */
const eventReader = 'mqtt';
/** Events under way to the broker at once. */
const maxUnderWay = 256;
const reopenMs = 200;
const beginMs = 2000;

interface UnderWay {
  /** The same event comes again when the bus was offline. */
  message: DurableMessage<DetectionEvent>;
  /** Undefined until the broker has answered for all detections. */
  outcome: Outcome | undefined;
}

/** What waits for the broker. */
export interface EventBacklog {
  /** Events that the broker has not confirmed. */
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
 * events that expire in it before they are delivered are counted and logged.
 */
export class EventDelivery {
  readonly #bus: Bus;
  readonly #publish: (event: DetectionEvent) => readonly Promise<Outcome>[];
  readonly #deliveries: Deliveries;
  readonly #log: Log;
  /** By sequence number, in their order. */
  readonly #underWay = new Map<number, UnderWay>();
  readonly #extending: NodeJS.Timeout;
  readonly #running: Promise<void>;
  /** Resolves when the position is known. */
  readonly #begun: Promise<void>;
  #begin = () => {};
  #confirmed: number | undefined;
  #read: number | undefined;
  #lost = 0;
  #isClosed = false;
  #closeReader = () => {};
  #roomMade = () => {};

  constructor(
    bus: Bus,
    publish: (event: DetectionEvent) => readonly Promise<Outcome>[],
    deliveries: Deliveries,
    log: Log,
  ) {
    this.#bus = bus;
    this.#publish = publish;
    this.#deliveries = deliveries;
    this.#log = log;
    // Keeps nats-server from delivering them again while the broker is offline.
    this.#extending = setInterval(() => {
      for (const { message } of this.#underWay.values()) message.extend();
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
    const confirmed = this.#confirmed ?? (oldest ? oldest.message.sequence - 1 : last);
    const length = Math.max(0, last - Math.max(confirmed, first - 1));
    return { length, oldest: oldest?.message.storedAt ?? null, lost: this.#lost };
  }

  /** Ends it, within this many milliseconds. What is not confirmed is delivered by the next one. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    // Ends the open request for messages; otherwise the server would deliver messages that are never handled.
    this.#closeReader();
    this.#roomMade();
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
    const reader = await openDurableReader(this.#bus, events, {
      ...{ stream: 'EVENTS', name: eventReader, lease: leases.mqttDelivery, maxPending: maxUnderWay },
    });
    if (reader.confirmed > 0) {
      this.#confirmed ??= reader.confirmed;
      this.#read ??= reader.confirmed;
    }
    this.#begin();
    this.#closeReader = reader.close;
    if (this.#isClosed) reader.close();
    for await (const message of reader) {
      if (this.#isClosed) break;
      await this.#take(message);
    }
  }

  async #take(message: DurableMessage<DetectionEvent>): Promise<void> {
    const { sequence } = message;
    const known = this.#underWay.get(sequence);
    if (known) known.message = message;
    else if (sequence <= (this.#confirmed ?? 0)) message.confirm();
    else {
      while (this.#underWay.size >= maxUnderWay) {
        await new Promise<void>((resolve) => {
          this.#roomMade = resolve;
        });
        if (this.#isClosed) return;
      }
      this.#noticeGap(sequence);
      void this.#deliver(sequence, message);
    }
  }

  async #deliver(sequence: number, message: DurableMessage<DetectionEvent>): Promise<void> {
    const item: UnderWay = { message, outcome: undefined };
    this.#underWay.set(sequence, item);
    // Undefined for an event of a wrong shape, which cannot be delivered.
    const outcomes = await Promise.all(message.message ? this.#publish(message.message) : []);
    const isDelivered = outcomes.length > 0 && outcomes.every((outcome) => outcome === 'delivered');
    item.outcome = isDelivered ? 'delivered' : 'refused';
    this.#confirmInOrder();
  }

  #confirmInOrder(): void {
    if (this.#isClosed) return;
    for (const [sequence, { message, outcome }] of this.#underWay) {
      if (outcome === undefined) break;
      message.confirm();
      this.#confirmed = sequence;
      this.#underWay.delete(sequence);
      if (outcome === 'delivered') this.#report(message);
    }
    this.#roomMade();
  }

  #report({ message, storedAt }: DurableMessage<DetectionEvent>): void {
    if (!message) return;
    const { id: eventID, monitorID, source, time } = message;
    this.#deliveries.add({ eventID, monitorID, source, time, storedAt, deliveredAt: nowUs() });
  }

  #noticeGap(sequence: number): void {
    const lost = this.#read === undefined ? 0 : sequence - this.#read - 1;
    this.#read = sequence;
    if (lost <= 0) return;
    this.#lost += lost;
    this.#log.error(`${lost} events expired before they could be delivered to the broker`);
  }
}
