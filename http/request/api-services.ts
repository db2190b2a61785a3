import type { Log } from '../../bus/log.ts';
import type { DetectorReport } from '../../bus/messages.ts';
import type { MqttReport } from '../../bus/mqtt/mqtt-bridge.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { MachineReport } from '../../bus/nats/control/control-messages.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import type { LogStore } from '../../store/log/log-store.ts';
import type { MonitorConfig } from '../../store/monitors/monitor-config.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';
import type { CatalogueProgress } from '../../store/recordings/verification/catalogue-rebuild.ts';
import type { SourceTest } from './source-test-answer.ts';

/** The parts of the recorder that routes use. */
export interface ApiServices {
  readonly accounts: Accounts;
  readonly monitors: Monitors;
  readonly logs: LogStore;
  readonly recordings: RecordingArchive;
  readonly bus: Bus;
  readonly log: Log;
  /** The snapshot of an event, as JPEG; undefined if it has none. */
  readonly snapshot: (eventID: string) => Promise<Uint8Array | undefined>;
  /** The latest report of each running object detector. */
  readonly detectors: () => DetectorReport[];
  /**
   * Plays the source of this monitor for a few seconds, with its passwords, and answers within 15 seconds of its turn;
   * undefined if too many tests wait.
   */
  readonly testSource: (monitor: MonitorConfig, signal: AbortSignal) => Promise<SourceTest | undefined>;
  /**
   * What the recorder keeps, and for how long there is space.
   *
   * @param maxAgeMs how old the answer may be; 0 if left out. @throws {StoreError} `io`; errors of the file system.
   */
  readonly storage: (maxAgeMs?: number) => Promise<StorageReport>;
  /** The same as it was last looked at, at no cost; undefined after a start. */
  readonly lastStorage: () => StorageReport | undefined;
  /** Whether the catalogue has all recordings of the folder, of these monitors or of all. */
  readonly catalogueProgress: (maySee?: (monitorID: string) => boolean) => CatalogueProgress;
  /** The state of the MQTT bridge; undefined if the plugin is off. @throws if the bus is unreachable. */
  readonly mqtt: () => Promise<MqttReport | undefined>;
  /** The machines of the cluster; empty where there is none. */
  readonly machines: () => readonly MachineReport[];
  /** Somebody knows that this machine of the cluster is off: its monitors need not wait for it. */
  readonly declareMachineOff: (name: string) => void;
  /** Whether the recorder is healthy. */
  readonly health: () => boolean;
}
