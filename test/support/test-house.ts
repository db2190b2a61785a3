import type { House, HouseMonitor } from '../../bus/mqtt/topics/house-monitor.ts';
import type { StreamEnds } from '../../bus/nats/jetstream.ts';

/** The monitors that the MQTT bridge sees, without a recorder. */
export class TestHouse implements House {
  readonly #listeners = new Set<() => void>();
  #monitors: HouseMonitor[];
  readonly changes: string[] = [];
  /** The events whose snapshots were asked for. */
  readonly shown: string[] = [];

  readonly since?: StreamEnds;

  constructor(monitors: HouseMonitor[], since?: StreamEnds) {
    this.#monitors = monitors;
    if (since) this.since = since;
  }

  monitors = () => this.#monitors;
  storageDaysLeft = async () => 4.25;

  async snapshot(eventID: string): Promise<Uint8Array> {
    this.shown.push(eventID);
    return new TextEncoder().encode(`jpeg of ${eventID}`);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(monitors: HouseMonitor[]): void {
    this.#monitors = monitors;
    for (const listener of this.#listeners) listener();
  }

  async setDetector(monitorID: string, detector: string, isEnabled: boolean): Promise<void> {
    this.changes.push(`${monitorID} ${detector} ${isEnabled}`);
    this.set(
      this.#monitors.map((monitor) => ({
        ...monitor,
        detectors: monitor.detectors.map((each) =>
          monitor.id === monitorID && each.name === detector ? { ...each, isEnabled } : each,
        ),
      })),
    );
  }
}

/** A monitor with labels that are hard to write in topics. */
export const door: HouseMonitor = {
  ...{ id: 'door', name: 'Front door "é" 门', isEnabled: true, labels: ['person', 'dining table', '人'] },
  detectors: [
    { name: 'motion', title: 'Motion detection', isEnabled: true },
    { name: 'tflite', title: 'Object detection', isEnabled: true },
  ],
};
