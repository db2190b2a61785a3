import { StoreError } from '../../base/store-error.ts';
import type { FragmentIndex, IndexedFragment } from '../fragments/fragment-index.ts';

/** Recordings that a span may have. */
export const maxParts = 2000;

/** @throws {StoreError} `invalid` if there are too many. */
export function checkParts(count: number): void {
  if (count <= maxParts) return;
  const text = `a shorter span: it has more than ${maxParts} recordings`;
  throw new StoreError('invalid', text, { pointer: '/end' });
}

/** A recording of a span of footage. */
export interface FootagePart {
  readonly id: string;
  /** When its first frame was taken: Unix time in microseconds. */
  readonly startUs: number;
  readonly index: FragmentIndex;
  /** What is shown of it, if not all: Unix times in microseconds. */
  readonly fromUs?: number;
  readonly toUs?: number;
}

/** What was recorded of a monitor's main stream in a span, the oldest first. */
export interface Footage {
  /** Unix times in microseconds; the end is not included. */
  readonly startUs: number;
  readonly endUs: number;
  readonly parts: readonly FootagePart[];
}

/**
 * When a fragment's first frame is decoded, about when it was taken: Unix time in microseconds. A fragment says itself when
 * that was; in recordings of older versions it follows from the beginning.
 */
export function timeOfFragment(
  { startUs, index }: FootagePart,
  { decodeTime, shownOffset, timeUs }: IndexedFragment,
): number {
  const { ticksPerSecond } = index.movie.video;
  if (timeUs === undefined) return startUs + microseconds(decodeTime, ticksPerSecond);
  // The recording's first frame is decoded when it was taken.
  return timeUs - microseconds(shownOffset - (index.fragments[0]?.shownOffset ?? 0), ticksPerSecond);
}

/**
 * The decode time, in whole ticks of the recording's video, of what was taken then: Unix time in microseconds. Within a
 * fragment time passes as it does in the recording.
 */
export function ticksAt(part: FootagePart, timeUs: number): number {
  const { fragments, movie } = part.index;
  const after = firstAfter(fragments, (fragment) => timeOfFragment(part, fragment) > timeUs);
  const fragment = fragments[Math.max(0, after - 1)];
  if (!fragment) return 0;
  const afterUs = timeUs - timeOfFragment(part, fragment);
  // Microseconds of Unix time are not exact enough for a fraction of a tick.
  return fragment.decodeTime + Math.round((afterUs * movie.video.ticksPerSecond) / 1e6);
}

/** The reverse of {@link ticksAt}. */
export function timeAt(part: FootagePart, ticks: number): number {
  const { fragments, movie } = part.index;
  const after = firstAfter(fragments, ({ decodeTime }) => decodeTime > ticks);
  const fragment = fragments[Math.max(0, after - 1)];
  if (!fragment) return part.startUs;
  const afterUs = microseconds(ticks - fragment.decodeTime, movie.video.ticksPerSecond);
  return timeOfFragment(part, fragment) + afterUs;
}

/** The place of the first fragment of which this is true; it is true of all after it. */
function firstAfter(
  fragments: readonly IndexedFragment[],
  isAfter: (fragment: IndexedFragment) => boolean,
): number {
  let [from, to] = [0, fragments.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isAfter(fragments[middle] as IndexedFragment)) to = middle;
    else from = middle + 1;
  }
  return from;
}

export const microseconds = (ticks: number, ticksPerSecond: number): number => (ticks / ticksPerSecond) * 1e6;
