import type { LogLevel } from '../../../../../bus/messages.ts';

/** A row of `/api/log/stats`. Times are Unix times in microseconds. */
export interface CountedEntries {
  readonly time: number;
  readonly level: LogLevel;
  readonly count: number;
}

/** A length of buckets that `/api/log/stats` knows. */
export interface CountBucket {
  readonly name: string;
  readonly length: number;
}

const second = 1e6;
const [minute, hour] = [60 * second, 3600 * second];
/** Those that divide each other, so that a click on a bar leads to whole bars. */
const buckets: readonly CountBucket[] = [
  { name: '1s', length: second },
  { name: '10s', length: 10 * second },
  { name: '1m', length: minute },
  { name: '10m', length: 10 * minute },
  { name: '30m', length: 30 * minute },
  { name: '1h', length: hour },
  { name: '6h', length: 6 * hour },
  { name: '1d', length: 24 * hour },
];
const maxBars = 80;

/** The finest buckets that are not too many for a span. */
export function bucketFor(start: number, end: number): CountBucket {
  const fits = ({ length }: CountBucket) => (end - start) / length <= maxBars;
  return buckets.find(fits) ?? { name: '1d', length: 24 * hour };
}

/**
 * Columns for a chart, stacked: times in seconds, then for each level the sum of it and all levels before it. All buckets of the
 * span are there, empty or not.
 */
export function stackedCounts(
  rows: readonly CountedEntries[],
  levels: readonly LogLevel[],
  { start, end, bucket }: { readonly start: number; readonly end: number; readonly bucket: CountBucket },
): number[][] {
  const { length } = bucket;
  const first = Math.floor(start / length) * length;
  const size = Math.max(1, Math.ceil((end - first) / length));
  const times = Array.from({ length: size }, (_, index) => (first + index * length) / second);
  const columns = levels.map(() => new Array<number>(size).fill(0));
  for (const { time, level, count } of rows) {
    const index = Math.floor((time - first) / length);
    const from = levels.indexOf(level);
    if (index < 0 || index >= size || from < 0) continue;
    for (const column of columns.slice(from)) column[index] = (column[index] ?? 0) + count;
  }
  return [times, ...columns];
}
