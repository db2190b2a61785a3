import type { Log } from '../../bus/log.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { Outbox } from '../../bus/nats/outbox.ts';

/** What the detector host lends to each detector. */
export interface DetectorEnvironment {
  readonly monitorID: string;
  readonly monitorName: string;
  /** Commands. */
  readonly bus: Bus;
  /** Pictures come over a connection of their own. */
  readonly frames: Bus;
  /** Where events go. */
  readonly outbox: Outbox;
  readonly log: Log;
}

/** Watches the pictures of one monitor until it is stopped. */
export interface Detector {
  stop(): void;
}

/** The settings of a detector cannot be used. */
export class DetectorSettingsError extends Error {
  override readonly name = 'DetectorSettingsError';
  readonly code = 'detector_settings_invalid';
}
