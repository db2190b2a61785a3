import { MachineClock } from '../../bus/base/machine-clock.ts';
import { nowUs } from '../../bus/base/time.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { Outbox } from '../../bus/nats/outbox.ts';
import { tenures } from '../../bus/subjects.ts';
import type { OwnTenure, OwnTenures } from './ownership/own-tenures.ts';

const maxReports = 1000;

const none: OwnTenure = { token: null, provisional: false };

/**
 * Publishes on this machine's bus how it records each monitor, at each change: all machines decide by it whose events and footage
 * are shown. When the clock was set, all is said again: times of before may be wrong.
 */
export class TenureReports {
  readonly #own: OwnTenures;
  readonly #clock: MachineClock;
  readonly #outbox = new Outbox(maxReports, () => {});
  readonly #last = new Map<string, OwnTenure>();

  constructor(own: OwnTenures, clock = new MachineClock()) {
    this.#own = own;
    this.#clock = clock;
  }

  attach(bus: Bus): void {
    this.#outbox.attach(bus);
  }

  /** @param monitorIDs those that are enabled. */
  update(monitorIDs: readonly string[]): void {
    const isClockSet = this.#clock.look() !== 0;
    for (const monitorID of new Set([...monitorIDs, ...this.#last.keys()])) {
      const now = monitorIDs.includes(monitorID) ? this.#own.of(monitorID) : none;
      const last = this.#last.get(monitorID);
      const isSaid = last?.token === now.token && last.provisional === now.provisional;
      if (isSaid && !isClockSet) continue;
      this.#last.set(monitorID, now);
      this.#outbox.add(tenures, [monitorID], { monitorID, time: nowUs(), ...now });
    }
    for (const id of this.#last.keys()) if (!monitorIDs.includes(id)) this.#last.delete(id);
  }
}
