import type { StreamEnds } from '../../nats/jetstream.ts';

/** What the house may know of a monitor's configuration. */
export interface HouseMonitor {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  /** Those that can run on it: their names, and whether they are enabled. */
  readonly detectors: readonly HouseDetector[];
  /** Labels of the objects that are looked for. */
  readonly labels: readonly string[];
}

export interface HouseDetector {
  readonly name: string;
  /** For people: `Motion detection`. */
  readonly title: string;
  readonly isEnabled: boolean;
}

/** The parts of the recorder that the house sees and changes. */
export interface House {
  /**
   * The bus's streams before the first monitor began: monitors stream before the bridge is there. Undefined: what was
   * stored before the bridge is over.
   */
  readonly since?: StreamEnds;
  monitors(): readonly HouseMonitor[];
  /** Calls `listener` when a monitor was stored or deleted. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
  /** Enables or disables a detector, and applies it. @throws if it cannot. */
  setDetector(monitorID: string, detector: string, isEnabled: boolean): Promise<void>;
  /** The snapshot of an event as JPEG, if it has one. */
  snapshot(eventID: string): Promise<Uint8Array | undefined>;
  /** In how many days the oldest recordings will be deleted; null if nothing was recorded. */
  storageDaysLeft(): Promise<number | null>;
}

/** A label as a level of a topic: letters and digits of every script, `_` and `-`. */
export const topicLevel = (label: string): string => label.replace(/[^\p{L}\p{N}_-]+/gu, '_');
