import type { House, HouseMonitor } from '../bus/mqtt/topics/house-monitor.ts';
import type { Bus } from '../bus/nats/bus.ts';
import type { StreamEnds } from '../bus/nats/jetstream.ts';
import { commands } from '../bus/subjects.ts';
import type { Config } from '../store/config/config.ts';
import { type MonitorConfig, sectionOf } from '../store/monitors/monitor-config.ts';
import type { Monitors } from '../store/monitors/monitors.ts';
import type { StorageReport } from '../store/recordings/retention/storage-figures.ts';
import { readSnapshot } from '../store/recordings/snapshots.ts';
import type { DetectorDefinition } from './detectors/detector-contract.ts';

interface HouseParts {
  readonly since?: StreamEnds;
  readonly config: Config;
  readonly monitors: Monitors;
  readonly detectors: readonly DetectorDefinition[];
}

/** What the MQTT bridge sees and changes of the recorder. */
export function houseView(
  { config, monitors, detectors, since }: HouseParts,
  bus: Bus,
  storage: () => Promise<StorageReport>,
): House {
  const usable = detectors.filter(({ name }) => config.detectors.includes(name));
  return {
    ...(since && { since }),
    monitors: () => monitors.list().map((monitor) => houseMonitor(monitor, usable)),
    onChange: (listener) => monitors.onChange(listener),
    async setDetector(monitorID, detector, isEnabled) {
      await monitors.setDetector(monitorID, detector, isEnabled);
      const { ok, error } = await bus.request(commands.apply, [monitorID], { restart: true });
      if (!ok) throw new Error(error ?? 'refused');
    },
    snapshot: (eventID) => readSnapshot(config.storageDir, eventID),
    storageDaysLeft: async () => (await storage()).daysLeft,
  };
}

function houseMonitor(monitor: MonitorConfig, detectors: readonly DetectorDefinition[]): HouseMonitor {
  const { id, name, enable } = monitor;
  const sections = detectors.map((detector) => ({ detector, section: sectionOf(monitor, detector.name) }));
  return {
    id,
    name,
    isEnabled: enable,
    detectors: sections.map(({ detector, section }) => ({
      name: detector.name,
      title: detector.title,
      isEnabled: section?.enable === true,
    })),
    labels: sections.flatMap(({ section }) =>
      section && 'thresholds' in section ? Object.keys(section.thresholds as object) : [],
    ),
  };
}
