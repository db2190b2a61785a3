import { timeZone, zoneOffset } from './chosen-zone.ts';
import { language } from './say.ts';

/** Unix times in microseconds, in the time zone and the language that were chosen. */

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const zone = timeZone.value;
  const key = `${language.value} ${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    // British English: days before months and 24 hours, which is how recorders are read.
    found = new Intl.DateTimeFormat(language.value === 'de' ? 'de-DE' : 'en-GB', {
      ...options,
      ...(zone !== '' && { timeZone: zone }),
    });
    formats.set(key, found);
  }
  return found;
}

/** `14:03`, with the day if it is another one than today. */
export function shortTime(us: number): string {
  const isToday = dayNumber(us) === dayNumber(Date.now() * 1000);
  const day = isToday ? {} : ({ day: 'numeric', month: 'short' } as const);
  return format({ ...day, hour: '2-digit', minute: '2-digit' }).format(us / 1000);
}

const dayNumber = (us: number) => Math.floor((us - zoneOffset(us)) / 86_400e6);

/** `26 Nov` */
export function dayName(us: number): string {
  return format({ day: 'numeric', month: 'short' }).format(us / 1000);
}

/** `14:03` */
export function minuteClock(us: number): string {
  return format({ hour: '2-digit', minute: '2-digit' }).format(us / 1000);
}

/** `14:03:21` */
export function clock(us: number): string {
  return format({ hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(us / 1000);
}

/** `14:03:21.1` */
export function preciseClock(us: number): string {
  return format({
    ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
    fractionalSecondDigits: 1,
  }).format(us / 1000);
}

/** `26 Nov, 14:03:21.123` */
export function exactTime(us: number): string {
  return format({
    ...({ day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
    fractionalSecondDigits: 3,
  }).format(us / 1000);
}

/** With year and time zone, for titles. */
export function fullTime(us: number): string {
  return format({ dateStyle: 'full', timeStyle: 'long' }).format(us / 1000);
}

/** A length of time in microseconds: `45 s`, `12 min`, `2.5 h`. */
export function span(us: number): string {
  const seconds = us / 1e6;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${number(seconds / 3600)} h`;
}

/** `382 MB` */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${number(bytes / 1000 ** power)} ${units[power]}`;
}

/** `0.8 %`, of a number of percent */
export function percent(value: number): string {
  return `${number(value)} %`;
}

function number(value: number): string {
  const digits = value < 10 ? 1 : 0;
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
}
