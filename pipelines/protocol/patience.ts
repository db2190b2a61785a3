const minPatienceMs = 10_000;

/**
 * How long a camera may take for each of its answers and for its first picture, in milliseconds. Some need longer than
 * others, so after each failure it is given more: 10, 20, 40 s and so on.
 *
 * @param failures connections that failed in a row
 * @param maxMs no patience is longer
 */
export function patienceAfter(failures: number, maxMs: number): number {
  return Math.min(maxMs, minPatienceMs * 2 ** Math.min(failures, 10));
}
