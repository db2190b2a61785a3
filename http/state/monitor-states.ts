import { nowUs } from '../../bus/base/time.ts';
import type { MonitorStatus } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { type Replay, replay } from '../../bus/nats/jetstream.ts';
import { status } from '../../bus/subjects.ts';

/** What a monitor does now. */
export interface KnownState extends MonitorStatus {
  /** How often its stream was there again after waiting for it, since this process began. */
  readonly reconnects: number;
  /** For how many microseconds it has streamed, since this process began, up to its present state. */
  readonly streamed: number;
}

/** Follows what all monitors say about themselves. */
export class MonitorStates {
  readonly #began = nowUs();
  readonly #states = new Map<string, KnownState & { readonly away: boolean }>();
  readonly #replay: Replay;

  constructor(bus: Bus) {
    // The stream holds the last one of every monitor, so that we know all at once.
    this.#replay = replay(bus, 'STATUS', status, 1, ({ message }) => {
      if (message) this.#hear(message);
    });
  }

  /** `streamed` includes the present state up to now. */
  get(monitorID: string): KnownState | undefined {
    const known = this.#states.get(monitorID);
    return known && { ...known, streamed: this.#streamedUpTo(nowUs(), known) };
  }

  close(): void {
    this.#replay.stop();
  }

  #hear(now: MonitorStatus): void {
    const before = this.#states.get(now.monitorID);
    const begins = now.state === 'streaming' && before?.state !== 'streaming';
    // Its attempts to connect do not change that it is away.
    const away = now.state === 'waiting' || (now.state === 'connecting' && before?.away === true);
    this.#states.set(now.monitorID, {
      ...now,
      away,
      reconnects: (before?.reconnects ?? 0) + (begins && before?.away ? 1 : 0),
      // Something else about the same state may be told, which began when it began.
      streamed:
        before && before.since !== now.since
          ? this.#streamedUpTo(now.since, before)
          : (before?.streamed ?? 0),
    });
  }

  #streamedUpTo(time: number, { state, since, streamed }: KnownState): number {
    if (state !== 'streaming') return streamed;
    return streamed + Math.max(0, time - Math.max(since, this.#began));
  }
}
