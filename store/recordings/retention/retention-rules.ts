import type { RecordedStream } from '../../../bus/recording-id.ts';

/** What is kept of one monitor. Times are in milliseconds. */
export interface RetentionRules {
  /** Recordings that are older are deleted. */
  readonly maxAgeMs?: number;
  /** Limit of its recordings together. */
  readonly maxBytes?: number;
  /** The newest recordings, which are kept even if the disk is full. */
  readonly minMs: number;
  /** By label: how long recordings with such an event are kept, if there is space. */
  readonly eventMs: ReadonlyMap<string, number>;
}

export interface DiskLimits {
  /** Limit of all that the recorder keeps. */
  readonly maxBytes: number;
  /** Space that must stay free on their disk; on a small disk, a twentieth of its size. */
  readonly minFreeBytes: number;
}

/** The fraction of a small disk that stays free. */
const freePart = 1 / 20;

/** Bytes that must stay free on a disk of this size. */
export const freeBytesOf = ({ minFreeBytes }: DiskLimits, diskBytes: number): number =>
  Math.min(minFreeBytes, diskBytes * freePart);

/**
 * The state of the disk: it has enough space (`room`); it has too little although the recordings are within their limit, so
 * the oldest are deleted (`full`); deleting has stopped because other files took the freed space (`taken`), or because only
 * the newest hours of each monitor, and what is protected, are left (`newest`).
 */
export const diskStates = ['room', 'full', 'taken', 'newest'] as const;
export type DiskState = (typeof diskStates)[number];

/** A recording that may be deleted. */
export interface KeptRecording {
  readonly id: string;
  readonly monitorID: string;
  readonly stream: RecordedStream;
  /** Unix times in milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
}

export const seriesOf = ({ monitorID, stream }: Pick<KeptRecording, 'monitorID' | 'stream'>): string =>
  `${monitorID} ${stream}`;

/** The newest recording of each series, by {@link seriesOf}: when it began, Unix time in milliseconds. */
export type NewestRecordings = ReadonlyMap<string, { readonly monitorID: string; readonly startMs: number }>;

/** Share deleted beyond what is necessary, so that not every check has to delete. */
const margin = 0.01;
/** The part of a limit that recordings may take whatever else takes the rest, so that there is always some footage. */
const minPart = 1 / 10;

/**
 * How much must be deleted for a limit.
 *
 * @param deletable bytes of recordings that are not protected.
 * @param fixed bytes of all else that counts.
 */
export function excessOf(maxBytes: number, deletable: number, fixed: number): number {
  const allowed = (limit: number) => Math.max(limit - fixed, limit * minPart);
  return deletable > allowed(maxBytes) ? deletable - allowed(maxBytes * (1 - margin)) : 0;
}
