/** Quantiles of a monitor's delays, in seconds. */
export interface DeliveryDelay {
  readonly monitorID: string;
  readonly count: number;
  readonly sum: number;
  /** Over the latest 1000 delays. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const kept = 1000;
const maxMonitors = 5000;

/** Collects delays by monitor. */
export class DeliveryDelays {
  readonly #monitors = new Map<string, { count: number; sum: number; readonly latest: number[] }>();

  /** @param microseconds negative if the clocks of two machines differ by more than the delay. */
  add(monitorID: string, microseconds: number): void {
    const known = this.#monitors.get(monitorID);
    if (!known && this.#monitors.size >= maxMonitors) return;
    const delays = known ?? { count: 0, sum: 0, latest: [] };
    this.#monitors.set(monitorID, delays);
    const seconds = Math.max(0, microseconds) / 1e6;
    delays.latest[delays.count % kept] = seconds;
    delays.count += 1;
    delays.sum += seconds;
  }

  read(): DeliveryDelay[] {
    return [...this.#monitors].map(([monitorID, { count, sum, latest }]) => {
      const sorted = [...latest].sort((a, b) => a - b);
      const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
      return { monitorID, count, sum, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
    });
  }
}
