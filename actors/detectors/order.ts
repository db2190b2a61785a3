import type { BusAddress } from '../../bus/connection.ts';
import type { LogSettings } from '../../bus/log.ts';

/** What the detector host is told when it starts: plain data that travels over IPC. */
export interface DetectorHostOrder {
  readonly bus: BusAddress;
  /** Folders are absolute. */
  readonly configDir: string;
  readonly storageDir: string;
  readonly log: LogSettings;
}

/** What the detector host says to its parent: `ready` once, and `alive` every few seconds. */
export type DetectorHostSign = 'ready' | 'alive';
