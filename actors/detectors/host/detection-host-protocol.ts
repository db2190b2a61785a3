import type { LogSettings } from '../../../bus/logging/logger.ts';
import type { BusAddress } from '../../../bus/nats/bus.ts';
import type { ModelSource } from '../objects/models/model-source.ts';

/** What the detector host is told when it starts: plain data that travels over IPC. */
export interface DetectionHostConfig {
  readonly bus: BusAddress;
  /** Folders are absolute. */
  readonly configDir: string;
  readonly storageDir: string;
  /** What the host before had open, and will be asked for again. */
  readonly models: readonly ModelSource[];
  /** What a host before was stuck in: it is left alone for a while. */
  readonly stuck: readonly ModelSource[];
  readonly log: LogSettings;
}

/** What its parent says: how it is to start first, and perhaps later that it is to end. */
export type DetectionHostOrder = DetectionHostConfig | 'stop';

/**
 * What the detector host says to its parent: `ready` once, `alive` every few seconds, which models are open, and at
 * its end which one it cannot get out of.
 */
export type DetectionHostMessage =
  | 'ready'
  | 'alive'
  | { readonly opened: ModelSource }
  | { readonly stuck: ModelSource };
