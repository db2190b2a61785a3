import type { DetectionEvent } from '../../messages.ts';
import { maxWaitUs } from './speakers.ts';

const maxEvents = 2000;

/** Events that another machine has its own ones of, until it is known whether it could publish them: the newest of a minute. */
export class HeldEvents {
  /** By their ids, in the order in which they came. */
  readonly #events = new Map<string, DetectionEvent>();

  add(event: DetectionEvent): void {
    this.#events.set(event.id, event);
    for (const [id] of this.#events) {
      if (this.#events.size <= maxEvents) break;
      this.#events.delete(id);
    }
  }

  /** @param now Unix time in microseconds. @returns those of a monitor, which are held no longer. */
  take(monitorID: string, now: number): DetectionEvent[] {
    const found: DetectionEvent[] = [];
    for (const [id, event] of this.#events) {
      if (event.monitorID === monitorID) found.push(event);
      if (event.monitorID === monitorID || event.time < now - maxWaitUs) this.#events.delete(id);
    }
    return found;
  }
}
