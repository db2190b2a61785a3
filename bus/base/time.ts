/** Unix time in microseconds, from the wall clock: a monotonic clock would drift from it over months. */
export function nowUs(): number {
  return Date.now() * 1000;
}
