/** How long to wait before trying again, in milliseconds. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Doubles the wait with every attempt that failed, counted from 1, and spreads it over half its length, so that
 * many cameras behind one broken switch do not all come back at the same moment.
 *
 * @param random in [0, 1).
 */
export function backoffDelay({ minMs, maxMs }: Backoff, attempt: number, random: number): number {
  const pauseMs = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(pauseMs * (0.5 + random / 2));
}
