import { StoreError } from '../../base/store-error.ts';

const namePattern = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
/** Entries of earlier years are counted by the zone's rules of today. */
const firstYear = 2020;

/** A zone of the IANA database, such as `Europe/Berlin`. */
export class TimeZone {
  readonly name: string;
  /** Whether the zone is always a whole number of hours away from UTC, unlike that of India. */
  readonly hasWholeHours: boolean;

  /** @throws {StoreError} `invalid` for a name that is unknown. */
  constructor(name: string) {
    const format = namePattern.test(name) && offsetFormat(name);
    if (!format) {
      throw new StoreError('invalid', 'expected a time zone, like "Europe/Berlin"', { pointer: '/tz' });
    }
    this.name = name;
    this.hasWholeHours = halves().every((date) => !/:(?!00)/.test(format.format(date).replace(/^.*GMT/, '')));
  }
}

function offsetFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', hour: '2-digit' });
  } catch {
    return undefined;
  }
}

/** A day of each half of each year: with daylight saving time and without. */
function halves(): Date[] {
  const years = new Date().getUTCFullYear() + 1 - firstYear;
  return Array.from({ length: 2 * years }, (_, half) => new Date(Date.UTC(firstYear, half * 6, 1)));
}
