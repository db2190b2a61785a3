/** Unix time in microseconds. The wall clock itself: a monotonic one would drift away from it over months. */
export function nowUs(): number {
  return Date.now() * 1000;
}

/** Unix time in nanoseconds as RFC 3339 in UTC with nine digits: `2024-11-20T14:23:15.437494909Z`. */
export function formatNanoseconds(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;
}

/** The inverse of {@link formatNanoseconds}, in microseconds. */
export function parseMicroseconds(time: string): number {
  return Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Math.floor(Number(time.slice(20, 29)) / 1000);
}
