import type { LogEntry } from '../../../bus/messages.ts';
import type { StoredEvent, StoredObject, StoredReport } from '../projection/rows.ts';
import { type DeliveryDelay, DeliveryDelays } from './delivery-delays.ts';

/** Counts of the messages read from the streams since the thread started. */
export interface StatusTotals {
  readonly entries: readonly { readonly level: string; readonly src: string; readonly count: number }[];
  readonly detections: readonly {
    readonly monitorID: string;
    readonly source: string;
    readonly label: string;
    readonly count: number;
  }[];
  /** Number of objects that appeared. */
  readonly objects: readonly { readonly monitorID: string; readonly label: string; readonly count: number }[];
  /** Delay from the frame to its event on the bus. */
  readonly delays: readonly DeliveryDelay[];
  /** Delay from the frame to the confirmation of its event by the MQTT broker. */
  readonly deliveryDelays: readonly DeliveryDelay[];
}

export const noTotals: StatusTotals = {
  entries: [],
  detections: [],
  objects: [],
  delays: [],
  deliveryDelays: [],
};

/** Kinds past this number are counted together, because labels come from outside and must not fill the memory. */
const maxKinds = 5000;

/** Counts the messages read from the streams. */
export class LogTotals {
  readonly #entries = new Map<string, { level: string; src: string; count: number }>();
  readonly #detections = new Map<
    string,
    { monitorID: string; source: string; label: string; count: number }
  >();
  readonly #objects = new Map<string, { monitorID: string; label: string; count: number }>();
  readonly #delays = new DeliveryDelays();
  readonly #deliveryDelays = new DeliveryDelays();

  addEntry({ level, src }: LogEntry): void {
    bump<{ level: string; src: string }>(this.#entries, { level, src });
  }

  addEvent({ monitorID, source, detections, time, storedAt }: StoredEvent): void {
    for (const { label } of detections) bump(this.#detections, { monitorID, source, label });
    this.#delays.add(monitorID, storedAt - time);
  }

  addReport({ deliveries }: StoredReport): void {
    for (const { monitorID, time, deliveredAt } of deliveries)
      this.#deliveryDelays.add(monitorID, deliveredAt - time);
  }

  addObject({ monitorID, label, endTime }: StoredObject): void {
    if (endTime === null) bump(this.#objects, { monitorID, label });
  }

  read(): StatusTotals {
    return {
      entries: [...this.#entries.values()],
      detections: [...this.#detections.values()],
      objects: [...this.#objects.values()],
      delays: this.#delays.read(),
      deliveryDelays: this.#deliveryDelays.read(),
    };
  }
}

/** @param kind with its fields always in one order. */
function bump<Kind extends Record<string, string>>(
  counts: Map<string, Kind & { count: number }>,
  kind: Kind,
): void {
  const key = Object.values(kind).join('\n');
  const found = counts.get(key);
  if (found) found.count += 1;
  else if (counts.size < maxKinds) counts.set(key, { ...kind, count: 1 });
}
