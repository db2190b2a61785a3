import type { Bus } from './bus.ts';
import { keepsStreams } from './jetstream.ts';

export interface StreamHealth {
  /** Whether the bus kept its streams when it was last looked at. */
  readonly healthy: boolean;
  stop(): void;
}

const maxIntervalMs = 300_000;

/**
 * Looks again and again whether the bus keeps its streams: nats-server stops doing so when its disk is full, and
 * does not begin again when there is room.
 *
 * @param interval milliseconds between two looks.
 * @param repair is called when two looks in a row have failed, and then, while nothing helps, less and less often.
 */
export function watchStreamHealth(bus: Bus, interval: number, repair: () => void): StreamHealth {
  let healthy = true;
  let failures = 0;
  let pause = interval;
  let stopped = false;
  let timer = setTimeout(look, pause);
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
      // A connection that is broken is repaired by itself.
      if (bus.connected) {
        healthy = await keepsStreams(bus);
        failures = healthy ? 0 : failures + 1;
        if (healthy) pause = interval;
        if (failures >= 2 && !stopped) {
          failures = 0;
          pause = Math.min(maxIntervalMs, pause * 2);
          repair();
        }
      }
      if (!stopped) timer = setTimeout(look, pause);
    })();
  }
}
