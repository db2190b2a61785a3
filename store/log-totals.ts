import type { LogEntry } from '../bus/messages.ts';
import type { StoredEvent } from './rows.ts';

/** What has been read from the streams since the thread began. */
export interface Totals {
  readonly entries: readonly { readonly level: string; readonly src: string; readonly count: number }[];
  readonly detections: readonly {
    readonly monitorID: string;
    readonly source: string;
    readonly label: string;
    readonly count: number;
  }[];
  readonly delays: readonly Delay[];
}

/** Seconds from the picture to its event on the bus. */
export interface Delay {
  readonly monitorID: string;
  readonly count: number;
  readonly sum: number;
  /** Of the latest thousand events. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const kept = 1000;
/** Kinds past this are not told apart any more: labels come from outside. */
const mostKinds = 5000;

interface Delays {
  count: number;
  sum: number;
  /** A ring of the latest. */
  readonly latest: number[];
}

export class LogTotals {
  readonly #entries = new Map<string, { level: string; src: string; count: number }>();
  readonly #detections = new Map<
    string,
    { monitorID: string; source: string; label: string; count: number }
  >();
  readonly #delays = new Map<string, Delays>();

  addEntry({ level, src }: LogEntry): void {
    bump<{ level: string; src: string }>(this.#entries, { level, src });
  }

  addEvent({ monitorID, source, detections, time, storedAt }: StoredEvent): void {
    for (const { label } of detections) bump(this.#detections, { monitorID, source, label });
    const delays = this.#delays.get(monitorID) ?? { count: 0, sum: 0, latest: [] };
    if (delays.count === 0 && this.#delays.size >= mostKinds) return;
    this.#delays.set(monitorID, delays);
    // Clocks of two machines may differ by more than it took.
    const seconds = Math.max(0, storedAt - time) / 1e6;
    delays.latest[delays.count % kept] = seconds;
    delays.count += 1;
    delays.sum += seconds;
  }

  read(): Totals {
    const delays = [...this.#delays].map(([monitorID, { count, sum, latest }]) => {
      const sorted = [...latest].sort((a, b) => a - b);
      const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
      return { monitorID, count, sum, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
    });
    return { entries: [...this.#entries.values()], detections: [...this.#detections.values()], delays };
  }
}

function bump<Kind extends object>(counts: Map<string, Kind & { count: number }>, kind: Kind): void {
  const key = JSON.stringify(kind);
  const found = counts.get(key);
  if (found) found.count += 1;
  else if (counts.size < mostKinds) counts.set(key, { ...kind, count: 1 });
}
