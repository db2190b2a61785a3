import { signal } from '@preact/signals';

/** The zone of all times on the pages. Times are Unix times in microseconds. */

const key = 'timeZone';
const minuteUs = 60e6;

/** The zone that was chosen; empty for the browser's own. */
export const timeZone = signal(known(localStorage.getItem(key)));

export const ownTimeZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Their names. */
export const timeZones = () => [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])];

export function chooseTimeZone(name: string): void {
  localStorage.setItem(key, name);
  timeZone.value = known(name);
}

/** What is added to the zone's own time, written as if it were UTC, for the time. */
export function zoneOffset(us: number): number {
  const zone = timeZone.value;
  const date = new Date(us / 1000);
  if (zone === '') return date.getTimezoneOffset() * minuteUs;
  const local = partsIn(zone, date);
  return Math.round((us - local) / minuteUs) * minuteUs;
}

/** The time of the zone's own time, which is written as if it were UTC. */
export function zoneTime(local: number): number {
  const guessed = local + zoneOffset(local);
  // The clocks may be set in between.
  return local + zoneOffset(guessed);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsIn(zone: string, date: Date): number {
  let format = formats.get(zone);
  if (!format) {
    const fields = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    const clock = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en', { ...fields, ...clock, timeZone: zone });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(
    format.formatToParts(date).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1000;
}

/** Empty if this browser does not know the zone. */
function known(name: string | null): string {
  try {
    return name ? new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone : '';
  } catch {
    return '';
  }
}
