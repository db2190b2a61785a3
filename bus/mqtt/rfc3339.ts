/**
 * Formats a Unix time in microseconds as RFC 3339 in UTC with nine digits: `2024-11-20T14:23:15.437494000Z`, the form
 * that SentryShot sends to MQTT brokers. Everywhere else times are numbers.
 */
export function formatRfc3339(timeUs: number): string {
  const seconds = new Date(timeUs / 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(timeUs % 1_000_000).padStart(6, '0')}000Z`;
}
