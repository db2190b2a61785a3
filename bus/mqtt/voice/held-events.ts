import type { DetectionEvent } from '../../messages.ts';
import type { Outcome } from '../broker/broker-session.ts';

export const maxHeldEvents = 2000;

export interface HeldEvent {
  readonly event: DetectionEvent;
  /** Its place among those that were held. */
  readonly place: number;
  /** What becomes of it; `refused`: it was left to another machine. */
  readonly settled: Promise<Outcome>;
  settle(outcome: Outcome | Promise<Outcome>): void;
}

/** Events that another machine has its own ones of, until it is known whether it could publish them: the newest of a minute. */
export class HeldEvents {
  /** By their ids. */
  readonly #events = new Map<string, HeldEvent>();
  #places = 0;

  /** @param place of an event that was held before. @returns what becomes of it. */
  add(event: DetectionEvent, place?: number): Promise<Outcome> {
    this.#places += 1;
    const held = this.#events.get(event.id) ?? newHeldEvent(event, place ?? this.#places);
    this.keep(held);
    return held.settled;
  }

  /** Holds one that was taken. */
  keep(held: HeldEvent): void {
    this.#events.set(held.event.id, held);
    if (this.#events.size <= maxHeldEvents) return;
    let oldest = held;
    for (const other of this.#events.values()) if (other.place < oldest.place) oldest = other;
    this.#leave(oldest);
  }

  /** @returns those of a monitor, which are held no longer, in the order in which they came. */
  take(monitorID: string): HeldEvent[] {
    const found = [...this.#events.values()].filter(({ event }) => event.monitorID === monitorID);
    for (const { event } of found) this.#events.delete(event.id);
    return found.sort((one, other) => one.place - other.place);
  }

  /** Leaves those to other machines that are from before then. @param time Unix time in microseconds. */
  leave(time: number): void {
    for (const held of [...this.#events.values()]) if (held.event.time < time) this.#leave(held);
  }

  #leave(held: HeldEvent): void {
    this.#events.delete(held.event.id);
    held.settle('refused');
  }
}

function newHeldEvent(event: DetectionEvent, place: number): HeldEvent {
  let settle: HeldEvent['settle'] = () => {};
  const settled = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  return { event, place, settled, settle };
}
