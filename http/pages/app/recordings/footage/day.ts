/** Days of the viewer's time zone, written `2026-11-26`, and Unix times in microseconds. */

export interface DayRange {
  readonly start: number;
  /** Not included. */
  readonly end: number;
}

export function dayOf(us: number): string {
  const date = new Date(us / 1000);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}

export const today = () => dayOf(Date.now() * 1000);

/** 23, 24 or 25 hours, as the clocks have it. */
export function rangeOf(day: string): DayRange {
  return { start: midnight(day, 0), end: midnight(day, 1) };
}

export const dayLater = (day: string, days: number) => dayOf(midnight(day, days));

/** `2026-11-26T14:03:21`, for a field with day and time. */
export function fieldTime(us: number): string {
  const date = new Date(us / 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  return `${dayOf(us)}T${clock}`;
}

/** The same back; the seconds may be left out. */
export const timeOfField = (text: string) => new Date(text).getTime() * 1000;

function midnight(day: string, later: number): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + later).getTime() * 1000;
}
