import type { LogSettings } from '../../../bus/logging/logger.ts';
import type { BusAddress } from '../../../bus/nats/bus-address.ts';
import type { ModelSource } from '../objects/models/model-source.ts';

/** The detector host's start options. Plain data, because they are sent over IPC. */
export interface DetectorHostConfig {
  readonly bus: BusAddress;
  /** Absolute paths of folders. */
  readonly configDir: string;
  readonly storageDir: string;
  /** Models that the previous host had open, and that will be needed again. */
  readonly models: readonly ModelSource[];
  /** Models that an earlier host got stuck in; they are not opened for a while. */
  readonly stuck: readonly ModelSource[];
  readonly log: LogSettings;
}

/** Messages from the parent: first the start options, later perhaps `stop`. */
export type DetectionHostOrder = DetectorHostConfig | 'stop';

/**
 * Messages to the parent: `ready` once, `alive` every few seconds, `worn` in its place once a decoder may not start here any
 * more, each opened model, and the model that the host is stuck in before it ends.
 */
export type DetectorHostMessage =
  | 'ready'
  | 'alive'
  | 'worn'
  | { readonly opened: ModelSource }
  | { readonly stuck: ModelSource };
