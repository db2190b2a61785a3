/** Unix time in microseconds, from the wall clock: a monotonic clock would drift from it over months. */
export function nowUs(): number {
  return Date.now() * 1000;
}

/** @param monotonicMs `performance.now()` not long ago. @returns that moment in Unix time, in microseconds. */
export function wallClockUs(monotonicMs: number): number {
  return nowUs() - Math.round((performance.now() - monotonicMs) * 1000);
}
