import type { DiskState } from './retention-rules.ts';

/** Sizes in bytes, times in Unix microseconds. What cannot be computed is null. */
export interface StorageReport {
  /** The limit of all that the recorder keeps. */
  readonly maxBytes: number;
  readonly recordingBytes: number;
  readonly protectedBytes: number;
  readonly snapshotBytes: number;
  readonly logBytes: number;
  readonly busBytes: number;
  readonly disk: {
    /** At the last check. */
    readonly state: DiskState;
    readonly size: number;
    readonly free: number;
    readonly others: number;
  };
  /** Days until the oldest recordings are deleted for space, at the rate of the last day; 0 if they are now. */
  readonly daysLeft: number | null;
  /** Whether the disk will soon be full, although the recordings are within their limit: within a day, or nearly at once. */
  readonly isFilling: boolean;
  readonly monitors: readonly MonitorStorage[];
}

export interface MonitorStorage {
  readonly id: string;
  readonly recordings: number;
  readonly bytes: number;
  readonly protectedBytes: number;
  /** When its oldest recording began. */
  readonly oldest: number | null;
  readonly bytesPerDay: number;
  readonly daysLeft: number | null;
}
