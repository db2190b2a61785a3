/** Unix time in microseconds. The wall clock itself: a monotonic one would drift away from it over months. */
export function nowUs(): number {
  return Date.now() * 1000;
}
