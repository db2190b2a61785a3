import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { LogLevel } from '../../../bus/messages.ts';
import { StoreError } from '../../base/store-error.ts';
import { rolledUpHours } from './hourly-rollup.ts';
import { filterSql, type LogFilter } from './log-filter.ts';
import { clip, growingRanges, inSnapshot, rangesByText, type ScanRange, wholeRange } from './scan-ranges.ts';
import {
  bucketSql,
  dependsOnZone,
  holdsHours,
  hourUs,
  type StatsBucket,
  type StatsGroup,
  statsGroups,
  zoneBucketSql,
} from './stats-buckets.ts';
import { TimeZone } from './time-zone.ts';

export interface StatsQuestion {
  /** `limit` is ignored. */
  readonly filter: LogFilter;
  readonly group: readonly StatsGroup[];
  readonly bucket?: StatsBucket;
  /** The buckets begin by the clocks of this zone. Default: UTC. */
  readonly tz?: string;
}

/** The number of entries of one kind. */
export interface StatsRow {
  /** Start of the bucket: Unix time in microseconds. */
  readonly time?: number;
  readonly level?: LogLevel;
  readonly src?: string;
  readonly monitorID?: string;
  readonly machine?: string;
  readonly count: number;
}

/** Of an answer. */
export const maxStatsRows = 10_000;

/** The source of one partial count: the entries, or the hours in which they are counted already. */
interface Part extends ScanRange {
  readonly table: 'log' | 'hourly';
}

/** Counts log entries, on a connection of its own. */
export class LogStats {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Mutex();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /**
   * @returns rows ordered by time, level, source and monitor, as far as they are requested. Kinds without entries are left
   * out; without groups and bucket there is exactly one row.
   * @throws {StoreError} `invalid` if there are more than 10,000 rows, as soon as that is known.
   */
  async count({ filter, group, bucket, tz }: StatsQuestion): Promise<StatsRow[]> {
    const named = tz === undefined ? undefined : new TimeZone(tz);
    const zone = bucket && dependsOnZone(bucket) ? named : undefined;
    const keys = statsGroups.filter((key) => group.includes(key));
    return this.#turns.runExclusive(() =>
      inSnapshot(this.#connection, async () => {
        const sums = new Sums([...(bucket ? ['time'] : []), ...keys]);
        for await (const { table, ...window } of this.#parts(filter, bucket, zone)) {
          const { where, values } = filterSql({ ...filter, ...window });
          const found = await this.#connection.runAndReadAll(
            countSql(`${table} ${where}`, table === 'log' ? 'count(*)' : 'sum(entries)', keys, bucket, zone),
            values,
            values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR)),
          );
          sums.add(found.getRows());
        }
        return sums.rows();
      }),
    );
  }

  /** Waits for the counts that are running. */
  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }

  async *#parts(
    filter: LogFilter,
    bucket: StatsBucket | undefined,
    zone: TimeZone | undefined,
  ): AsyncGenerator<Part> {
    if (filter.text || (bucket && !holdsHours(bucket)) || zone?.hasWholeHours === false) {
      const windows = filter.text
        ? rangesByText(this.#connection, filter, true)
        : growingRanges(this.#connection, filter);
      for await (const window of windows) yield { table: 'log', ...window };
      return;
    }
    const whole = wholeRange(filter);
    const hours = await rolledUpHours(this.#connection);
    // In hours that are only partly in the range, the entries themselves are counted.
    const from = Math.max(hours?.from ?? 0, Math.ceil((whole.after + 1) / hourUs) * hourUs);
    const to = Math.min(hours?.to ?? 0, whole.time - (whole.time % hourUs));
    if (from >= to) return yield { table: 'log', ...whole };
    yield { table: 'hourly', after: from - 1, time: to };
    for (const edge of [clip(whole, { time: from }), clip(whole, { after: to - 1 })]) {
      if (edge) yield { table: 'log', ...edge };
    }
  }
}

function countSql(
  from: string,
  count: string,
  keys: readonly string[],
  bucket?: StatsBucket,
  zone?: TimeZone,
): string {
  const select = (sum: string, source: string, start?: string) => {
    const columns = [...(start === undefined ? [] : [`${start} AS time`]), ...keys, `${sum} AS entries`];
    return `SELECT ${columns.join()} FROM ${source} GROUP BY ALL`;
  };
  const limit = `LIMIT ${maxStatsRows + 1}`;
  if (bucket === undefined) return `${select(count, from)} ${limit}`;
  // The calendar is computed once for each day, and the zone for each hour, not for each entry.
  const part = zone ? (zone.hasWholeHours ? '1h' : '15m') : bucket === '1mo' ? '1d' : undefined;
  const start = zone ? zoneBucketSql(bucket, zone) : bucketSql(bucket);
  if (part === undefined) return `${select(count, from, start)} ${limit}`;
  return `${select('sum(entries)', `(${select(count, from, bucketSql(part))})`, start)} ${limit}`;
}

type Cell = string | number;

/** Adds up the partial counts. */
class Sums {
  readonly #names: readonly string[];
  readonly #sums = new Map<string, { readonly cells: readonly Cell[]; count: number }>();

  /** @param names of the columns before the count, in the order of the answer. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** @throws {StoreError} `invalid` */
  add(rows: readonly (readonly unknown[])[]): void {
    for (const row of rows) {
      const cells = row
        .slice(0, -1)
        .map((cell): Cell => (typeof cell === 'bigint' ? Number(cell) : String(cell)));
      // The sum of no rows is null.
      const count = Number(row.at(-1) ?? 0);
      const key = cells.join(' ');
      const sum = this.#sums.get(key);
      if (sum) sum.count += count;
      else this.#sums.set(key, { cells, count });
    }
    if (this.#sums.size > maxStatsRows) {
      const text = `more than ${maxStatsRows} rows; ask for a longer bucket or a shorter time`;
      throw new StoreError('invalid', text, { pointer: '/bucket' });
    }
  }

  rows(): StatsRow[] {
    return [...this.#sums.values()]
      .sort((one, other) => compare(one.cells, other.cells))
      .map(({ cells, count }) => {
        const pairs = this.#names.map((name, k) => [name, cells[k]]);
        return { ...Object.fromEntries(pairs), count } as StatsRow;
      });
  }
}

function compare(one: readonly Cell[], other: readonly Cell[]): number {
  const k = one.findIndex((cell, index) => cell !== other[index]);
  return k < 0 ? 0 : (one[k] ?? '') < (other[k] ?? '') ? -1 : 1;
}
