import { nowUs } from '../../bus/base/time.ts';
import type { MonitorStatus } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { type Replay, replay } from '../../bus/nats/jetstream.ts';
import { status } from '../../bus/subjects.ts';
import type { Site } from './site.ts';

/** The current state of a monitor, with figures since the start of this process. */
export interface KnownState extends MonitorStatus {
  /** Number of times that its stream came back after an outage. */
  readonly reconnects: number;
  /** Microseconds that it has streamed, up to the beginning of its current state. */
  readonly streamed: number;
}

/** The status of a monitor, whichever machine records it. */
export interface CurrentStatus extends MonitorStatus {
  /** In a cluster: the machine that records it, or tries to; null: none does. */
  readonly machine?: string | null;
}

/** Keeps the latest status of every monitor, of which other machines record some where there are several. */
export class MonitorStates {
  readonly #began = nowUs();
  readonly #states = new Map<string, KnownState & { readonly offline: boolean }>();
  readonly #replay: Replay;
  readonly #listeners = new Set<(monitorID: string) => void>();

  readonly #site: Site | undefined;
  readonly #forget: () => void;

  constructor(bus: Bus, site?: Site) {
    this.#site = site;
    // The stream keeps the last status of every monitor, so all states are known right after the start.
    this.#replay = replay(bus, 'STATUS', status, 1, ({ message }) => {
      if (message) this.#update(message);
    });
    this.#forget = site?.onDistantChange((monitorID) => this.#tell(monitorID)) ?? (() => {});
  }

  /** As people are to know it. */
  current(monitorID: string): CurrentStatus | undefined {
    const distant = this.#site?.distant(monitorID);
    if (distant) return { ...distant.status, machine: distant.machine ?? null };
    const own = this.get(monitorID);
    return own && this.#site && own.state !== 'disabled' ? { ...own, machine: this.#site.machine } : own;
  }

  /** Of this machine alone. `streamed` includes the present state up to now. */
  get(monitorID: string): KnownState | undefined {
    const known = this.#states.get(monitorID);
    return known && { ...known, streamed: this.#streamedUpTo(nowUs(), known) };
  }

  /** Calls `listener` with the id of a monitor at each change. @returns a function that ends it. */
  onChange(listener: (monitorID: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#forget();
    this.#replay.stop();
  }

  #update(now: MonitorStatus): void {
    const before = this.#states.get(now.monitorID);
    const begins = now.state === 'streaming' && before?.state !== 'streaming';
    // Attempts to connect during an outage do not end the outage.
    const offline = now.state === 'waiting' || (now.state === 'connecting' && before?.offline === true);
    this.#states.set(now.monitorID, {
      ...now,
      offline,
      reconnects: (before?.reconnects ?? 0) + (begins && before?.offline ? 1 : 0),
      // A status with the same `since` updates the same state, for example its reason.
      streamed:
        before && before.since !== now.since
          ? this.#streamedUpTo(now.since, before)
          : (before?.streamed ?? 0),
    });
    this.#tell(now.monitorID);
  }

  #tell(monitorID: string): void {
    for (const listener of this.#listeners) listener(monitorID);
  }

  #streamedUpTo(time: number, { state, since, streamed }: KnownState): number {
    if (state !== 'streaming') return streamed;
    return streamed + Math.max(0, time - Math.max(since, this.#began));
  }
}
