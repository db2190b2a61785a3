const minPatienceMs = 10_000;
const maxPatienceMs = 60_000;

/**
 * How long a camera may take for each of its answers and for its first picture, in milliseconds. Some need longer than
 * others, so after each failure it is given more: 10, 20, 40, 60 s.
 *
 * @param failures connections that failed in a row
 */
export function patienceAfter(failures: number): number {
  return Math.min(maxPatienceMs, minPatienceMs * 2 ** Math.min(failures, 10));
}
