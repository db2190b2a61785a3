import { zoneOffset, zoneTime } from '../../texts/chosen-zone.ts';

/** Days of the time zone of the pages, written `2026-11-26`, and Unix times in microseconds. */

export interface DayRange {
  readonly start: number;
  /** Not included. */
  readonly end: number;
}

export const dayOf = (us: number) => localText(us).slice(0, 10);

export const today = () => dayOf(Date.now() * 1000);

/** 23, 24 or 25 hours, as the clocks have it. */
export function rangeOf(day: string): DayRange {
  return { start: midnight(day, 0), end: midnight(day, 1) };
}

export const dayLater = (day: string, days: number) => dayOf(midnight(day, days));

/** `2026-11-26T14:03:21`, for a field with day and time. */
export const fieldTime = (us: number) => localText(us).slice(0, 19);

/** The same back; the seconds may be left out. */
export const timeOfField = (text: string) => zoneTime(Date.parse(`${text}Z`) * 1000);

const localText = (us: number) => new Date((us - zoneOffset(us)) / 1000).toISOString();

function midnight(day: string, later: number): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return zoneTime(Date.UTC(year, month - 1, date + later) * 1000);
}
