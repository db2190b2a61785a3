import type { Bus } from '../bus/connection.ts';
import type { MonitorStatus } from '../bus/messages.ts';
import { type Replay, replay } from '../bus/streams.ts';
import { status } from '../bus/subjects.ts';

/** What a monitor does now. */
export interface KnownState extends MonitorStatus {
  /** How often its stream was there again since this process began. */
  readonly reconnects: number;
}

/** Follows what all monitors say about themselves. */
export class MonitorStates {
  readonly #states = new Map<string, KnownState & { readonly hasStreamed: boolean }>();
  readonly #replay: Replay;

  constructor(bus: Bus) {
    // The stream holds the last one of every monitor, so that we know all at once.
    this.#replay = replay(bus, 'STATUS', status, 1, ({ message }) => {
      if (message) this.#hear(message);
    });
  }

  get(monitorID: string): KnownState | undefined {
    return this.#states.get(monitorID);
  }

  close(): void {
    this.#replay.stop();
  }

  #hear(now: MonitorStatus): void {
    const before = this.#states.get(now.monitorID);
    const begins = now.state === 'streaming' && before?.state !== 'streaming';
    const hasStreamed = before?.hasStreamed ?? false;
    const reconnects = (before?.reconnects ?? 0) + (begins && hasStreamed ? 1 : 0);
    this.#states.set(now.monitorID, { ...now, reconnects, hasStreamed: hasStreamed || begins });
  }
}
