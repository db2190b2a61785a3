/** Unix time in microseconds, from the wall clock: a monotonic clock would drift from it over months. */
export function nowUs(): number {
  return Date.now() * 1000;
}

/** @param monotonicMs `performance.now()` at a moment about now. @returns that moment in Unix time, in microseconds. */
export function wallClockUs(monotonicMs: number): number {
  return nowUs() - Math.round((performance.now() - monotonicMs) * 1000);
}

/** The opposite of {@link wallClockUs}: what is due is not to move when the clock is set. @param timeUs Unix time in microseconds */
export function monotonicMs(timeUs: number): number {
  return performance.now() - (nowUs() - timeUs) / 1000;
}

/**
 * Formats a Unix time in microseconds as RFC 3339 in UTC with nine digits: `2024-11-20T14:23:15.437494000Z`, the form
 * that SentryShot sends to MQTT brokers. Everywhere else times are numbers.
 */
export function formatRfc3339(timeUs: number): string {
  const seconds = new Date(timeUs / 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(timeUs % 1_000_000).padStart(6, '0')}000Z`;
}
