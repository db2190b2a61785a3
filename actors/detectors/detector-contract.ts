import type { Log } from '../../bus/log.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { Outbox } from '../../bus/nats/outbox.ts';
import type { DetectorSection, DetectorSettings } from '../../store/detectors/detector-section.ts';
import type { InferenceWorker } from './objects/inference/inference-worker.ts';
import type { ModelSource } from './objects/models/model-source.ts';

/**
 * A kind of detector. It is one file and a line in `host/registry.ts`: its plugin, its section of a monitor's
 * configuration, its switches in the API, the documents, its MQTT topic, its source of log entries, the frames that a
 * pipeline makes for it and the recordings after its events all follow from this.
 */
export interface DetectorDefinition<Settings extends DetectorSettings = DetectorSettings>
  extends DetectorSection<Settings> {
  /** Which frames it looks at. */
  frames(settings: Settings): FrameNeed;
  /** For how many seconds after one of its events a monitor records, a day at most. */
  recordSeconds(settings: Settings): number;
  /** What it makes of the stored settings, given which other detectors run on the monitor. */
  adapt?(settings: Settings, runs: (detector: string) => boolean): Settings;
  /** Loads what looks at frames. Called once in the detector host, and nowhere else: main never loads it. */
  load(host: DetectorHost): Promise<LoadedDetector<Settings>>;
}

export interface FrameNeed {
  readonly format: FrameFormat;
  /** Frames a second, 0 for every one. */
  readonly rate: number;
  /** Of the main stream, also where there is a sub stream; for `rgb` only. */
  readonly main?: boolean;
}

export interface LoadedDetector<Settings extends DetectorSettings> {
  /** Begins to watch a monitor. `settings` fit the schema. */
  create(environment: DetectorEnvironment, settings: Settings): Detector;
  /** Ends what all of its detectors share, once they are stopped. */
  close?(): Promise<void>;
}

/** Watches the frames of one monitor until it is stopped. */
export interface Detector {
  stop(): void;
}

/** What the detector host lends to all detectors of one kind. */
export interface DetectorHost {
  /** Folders are absolute. */
  readonly configDir: string;
  readonly storageDir: string;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly log: Log;
  /** The thread in which models run. */
  readonly inferenceWorker: InferenceWorker;
  /** Called with each model that could be opened, so that the next host opens it first. */
  onModelOpened(model: ModelSource): void;
}

/** What the detector host lends to each detector. */
export interface DetectorEnvironment {
  /** The definition's. */
  readonly name: string;
  readonly monitorID: string;
  readonly monitorName: string;
  /** How many frames a second it takes, where others of its monitor get more of them; 0: all that come. */
  readonly maxFrameRate: number;
  /** Commands. */
  readonly bus: Bus;
  /** Frames come over a connection of their own. */
  readonly frames: Bus;
  /** Where events go. */
  readonly outbox: Outbox;
  readonly log: Log;
}

/** The settings of a detector cannot be used. */
export class DetectorSettingsError extends Error {
  override readonly name = 'DetectorSettingsError';
  readonly code = 'detector_settings_invalid';
}
