/**
 * Messages of earlier versions, which streams may hold for 30 days after an update.
 *
 * Until November 2026 the times of events, objects and deliveries were RFC 3339 text with nine digits.
 */
const timeKeys = new Set(['time', 'start', 'end']);

/** Converts times given as text to microseconds; leaves everything else unchanged, including text that is no time. */
export function upgradeTimes(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(upgradeTimes);
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(
    Object.entries(message).map(([key, value]) => {
      if (timeKeys.has(key) && typeof value === 'string') return [key, parseTime(value) ?? value];
      return [key, upgradeTimes(value)];
    }),
  );
}

/** @returns undefined if the text is no time, or names a day that does not exist. */
function parseTime(text: string): number | undefined {
  const [, seconds, digits] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})\d{3}Z$/.exec(text) ?? [];
  const timeUs = Date.parse(`${seconds}Z`) * 1000 + Number(digits);
  return Number.isNaN(timeUs) ? undefined : timeUs;
}
