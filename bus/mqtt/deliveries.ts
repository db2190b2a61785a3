import type { Delivery } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { Outbox } from '../nats/outbox.ts';
import { deliveries } from '../subjects.ts';

/** Milliseconds in which those that were confirmed are told of together. */
const pause = 1000;
const maxReportSize = 1000;
/** Reports that wait while the bus is away. It is also where the events come from, so there are not many. */
const maxReports = 100;

/** Tells the bus which events somebody outside has confirmed, so that it can be asked how long that took. */
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
    if (this.#waiting.length === maxReportSize) this.#tell();
    this.#timer ??= setTimeout(() => this.#tell(), pause);
  }

  /** Tells what waits, within a second. */
  async close(): Promise<void> {
    this.#tell();
    await this.#outbox.flush(1000);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#outbox.add(deliveries, [this.#receiver], { deliveries: this.#waiting });
    this.#waiting = [];
  }
}
