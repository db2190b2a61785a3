import { backoffDelay } from '../base/backoff.ts';
import type { Bus } from './bus.ts';
import { keepsStreams } from './jetstream.ts';

export interface StreamHealth {
  /** Whether the bus stored messages at the last check. */
  readonly healthy: boolean;
  stop(): void;
}

const maxIntervalMs = 300_000;

/**
 * Checks periodically whether the bus stores messages: nats-server stops when its disk is full, and does not resume when
 * there is space again.
 *
 * @param intervalMs between two checks.
 * @param repair is called when two checks in a row have failed, and then less and less often while the failure lasts.
 */
export function watchStreamHealth(bus: Bus, intervalMs: number, repair: () => void): StreamHealth {
  let healthy = true;
  let failures = 0;
  let repairs = 0;
  let stopped = false;
  let timer = setTimeout(look, intervalMs);
  return {
    get healthy() {
      return healthy;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };

  function look(): void {
    void (async () => {
      // A lost connection is restored by the client itself.
      if (bus.connected) {
        healthy = await keepsStreams(bus);
        failures = healthy ? 0 : failures + 1;
        if (healthy) repairs = 0;
        if (failures >= 2 && !stopped) {
          failures = 0;
          repairs += 1;
          repair();
        }
      }
      const pauseMs =
        repairs === 0
          ? intervalMs
          : backoffDelay({ minMs: intervalMs, maxMs: 2 * maxIntervalMs }, repairs + 1, 0);
      if (!stopped) timer = setTimeout(look, pauseMs);
    })();
  }
}
