/** Shortest and longest delay before another attempt. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Delay in milliseconds before the next attempt. It doubles with every failed attempt and is spread at random over its
 * upper half, so that many cameras behind one broken switch do not all reconnect at the same moment.
 *
 * @param attempt number of failed attempts, from 1.
 * @param random in [0, 1).
 */
export function backoffDelay({ minMs, maxMs }: Backoff, attempt: number, random: number): number {
  const pauseMs = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(pauseMs * (0.5 + random / 2));
}
