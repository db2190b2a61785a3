import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { LogLevel } from '../bus/messages.ts';
import { StoreError } from './errors.ts';
import { filterSql, type LogFilter } from './log-filter.ts';
import { Turns } from './turns.ts';

export const statsGroups = ['level', 'src', 'monitorID'] as const;
export type StatsGroup = (typeof statsGroups)[number];

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Lengths in microseconds. Weeks begin on Monday; months are not all of one length. */
const buckets = {
  '1s': second,
  '5s': 5 * second,
  '10s': 10 * second,
  '30s': 30 * second,
  '1m': minute,
  '5m': 5 * minute,
  '10m': 10 * minute,
  '15m': 15 * minute,
  '30m': 30 * minute,
  '1h': hour,
  '3h': 3 * hour,
  '6h': 6 * hour,
  '12h': 12 * hour,
  '1d': day,
  '1w': 7 * day,
  '1mo': undefined,
} as const;
export type StatsBucket = keyof typeof buckets;
export const statsBuckets = Object.keys(buckets) as StatsBucket[];

export interface StatsQuestion {
  /** Its `limit` does not count here. */
  readonly filter: LogFilter;
  readonly group: readonly StatsGroup[];
  readonly bucket?: StatsBucket;
}

/** How many entries there are of one kind. */
export interface StatsRow {
  /** When the bucket begins, in UTC: Unix microseconds. */
  readonly time?: number;
  readonly level?: LogLevel;
  readonly src?: string;
  readonly monitorID?: string;
  readonly count: number;
}

const mostRows = 10_000;

/** Counts log entries, on a connection of its own. */
export class LogStats {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Turns();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /**
   * @returns ordered by time, level, source and monitor, whichever of them there are. Kinds without entries are left
   * out; without any group and bucket there is exactly one row.
   * @throws {StoreError} `invalid` when there are more than 10,000 rows.
   */
  count({ filter, group, bucket }: StatsQuestion): Promise<StatsRow[]> {
    const keys = statsGroups.filter((key) => group.includes(key));
    const { where, values } = filterSql(filter);
    const columns = [...(bucket ? [`${bucketSql(bucket)} AS bucket`] : []), ...keys, 'count(*) AS count'];
    const places = columns.slice(0, -1).map((_, index) => index + 1);
    const grouping = places.length > 0 ? `GROUP BY ${places.join()} ORDER BY ${places.join()}` : '';
    return this.#turns.run(async () => {
      const found = await this.#connection.runAndReadAll(
        `SELECT ${columns.join()} FROM log ${where} ${grouping} LIMIT ${mostRows + 1}`,
        values,
        values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR)),
      );
      const rows = found.getRows();
      if (rows.length > mostRows) {
        const text = `more than ${mostRows} rows; ask for a longer bucket or a shorter time`;
        throw new StoreError('invalid', text, { pointer: '/bucket' });
      }
      const names = [...(bucket ? ['time'] : []), ...keys, 'count'];
      return rows.map((row) => {
        const pairs = names.map((name, k) => [name, typeof row[k] === 'bigint' ? Number(row[k]) : row[k]]);
        return Object.fromEntries(pairs) as StatsRow;
      });
    });
  }

  /** Waits for what was begun. */
  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }
}

function bucketSql(bucket: StatsBucket): string {
  if (bucket === '1mo') return "epoch_us(date_trunc('month', make_timestamp(time)))";
  // The first day of all was a Thursday.
  const shift = bucket === '1w' ? 3 * day : 0;
  return `time - (time + ${shift}) % ${buckets[bucket]}`;
}
