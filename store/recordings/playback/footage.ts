import type { FragmentIndex, IndexedFragment } from '../fragments/fragment-index.ts';

/** A recording of a span of footage. */
export interface FootagePart {
  readonly id: string;
  /** When its first frame was taken: Unix time in microseconds. */
  readonly startUs: number;
  readonly index: FragmentIndex;
}

/** What was recorded of a monitor's main stream in a span, the oldest first. */
export interface Footage {
  /** Unix times in microseconds; the end is not included. */
  readonly startUs: number;
  readonly endUs: number;
  readonly parts: readonly FootagePart[];
}

/** When a fragment's first frame is decoded, about when it was taken: Unix time in microseconds. */
export function timeOfFragment({ startUs, index }: FootagePart, { decodeTime }: IndexedFragment): number {
  return startUs + microseconds(decodeTime, index.movie.video.ticksPerSecond);
}

export const microseconds = (ticks: number, ticksPerSecond: number): number => (ticks / ticksPerSecond) * 1e6;
