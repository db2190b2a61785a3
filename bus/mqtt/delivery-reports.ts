import { stopDeadlinesMs } from '../children/stop-deadlines.ts';
import type { Delivery } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { Outbox } from '../nats/outbox.ts';
import { deliveries } from '../subjects.ts';

/** Confirmations of this period are published in one report. */
const gatherMs = 1000;
const maxReportSize = 1000;
/** Reports kept while the bus is offline. The events come from the bus, too, so there are only a few. */
const maxReports = 100;

/** Publishes which events a receiver outside has confirmed and when, so that delivery delays can be measured. */
export class Deliveries {
  readonly #receiver: string;
  readonly #outbox = new Outbox(maxReports, () => {});
  #waiting: Delivery[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(bus: Bus, receiver: string) {
    this.#receiver = receiver;
    this.#outbox.attach(bus);
  }

  add(delivery: Delivery): void {
    this.#waiting.push(delivery);
    if (this.#waiting.length === maxReportSize) this.#publish();
    this.#timer ??= setTimeout(() => this.#publish(), gatherMs);
  }

  /** Publishes the remaining confirmations, within 1 s. */
  async close(): Promise<void> {
    this.#publish();
    await this.#outbox.flush(stopDeadlinesMs.mqttReports);
  }

  #publish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#outbox.add(deliveries, [this.#receiver], { deliveries: this.#waiting });
    this.#waiting = [];
  }
}
