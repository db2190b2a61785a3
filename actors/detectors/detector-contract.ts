import type { Frame } from '../../bus/frames.ts';
import type { Log } from '../../bus/log.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { Outbox } from '../../bus/nats/outbox.ts';
import type { MotionNeed } from '../../pipelines/frames/sleep/decoder-sleep.ts';
import type { DetectorSection, DetectorSettings } from '../../store/detectors/detector-section.ts';
import type { HeldFrames } from './frames/decoded-stream.ts';
import type { InferenceWorker } from './objects/inference/inference-worker.ts';
import type { ModelSource } from './objects/models/model-source.ts';

/**
 * A kind of detector. It is one file and a line in `host/registry.ts`: its plugin, its section of a monitor's
 * configuration, its switches in the API, the documents, its MQTT topic, its source of log entries, the frames that a
 * pipeline makes for it and the recordings after its events all follow from this.
 */
export interface DetectorDefinition<Settings extends DetectorSettings = DetectorSettings>
  extends DetectorSection<Settings> {
  /** The frames that it analyses. */
  frames(settings: Settings): FrameNeed;
  /** Seconds for which a monitor records after one of its events; at most a day. */
  recordSeconds(settings: Settings): number;
  /** Prepares the stored settings, given the other detectors that run on the monitor. */
  adapt?(settings: Settings, runs: (detector: string) => boolean): Settings;
  /** Loads the detector's code. Called once, in the detector host only: main never loads it. */
  load(host: DetectorHost): Promise<LoadedDetector<Settings>>;
}

export interface FrameNeed {
  readonly format: FrameFormat;
  /** Frames per second; 0 for every frame. */
  readonly rate: number;
  /** Whether frames come from the main stream even if there is a sub stream; for `rgb` only. */
  readonly main?: boolean;
  /** By how much an event may come later than what it shows, in milliseconds, where that is more than two seconds. */
  readonly lateMs?: number;
}

export interface LoadedDetector<Settings extends DetectorSettings> {
  /** Starts a detector for a monitor. `settings` are valid for the schema. */
  create(environment: DetectorEnvironment, settings: Settings): Detector;
  /** Closes the resources shared by all detectors of this kind, after they have stopped. */
  close?(): Promise<void>;
}

/** A detector that analyses the frames of one monitor until it is stopped. */
export interface Detector {
  stop(): void;
}

/** The detector host's resources for all detectors of one kind. */
export interface DetectorHost {
  /** Absolute paths of folders. */
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

/** The detector host's resources for each detector. */
export interface DetectorEnvironment {
  /** The name in the definition. */
  readonly name: string;
  readonly monitorID: string;
  readonly monitorName: string;
  /** Limit in frames per second, where another detector of the monitor requests more; 0: every frame. */
  readonly maxFrameRate: number;
  /** For commands. */
  readonly bus: Bus;
  /** Its frames, of this process. @param onFrame gets every frame that is made; it must return quickly */
  readonly openFrames: (onFrame: (frame: Frame) => void, motion?: MotionNeed) => HeldFrames;
  /** For events. */
  readonly outbox: Outbox;
  readonly log: Log;
}

/** The settings of a detector are invalid. */
export class DetectorSettingsError extends Error {
  override readonly name = 'DetectorSettingsError';
  readonly code = 'detector_settings_invalid';
}
