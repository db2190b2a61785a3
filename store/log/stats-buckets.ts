const second = 1_000_000;
const minute = 60 * second;
export const hour = 60 * minute;
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

/** Whether hours can be put into buckets of this length without being cut. */
export function holdsHours(bucket: StatsBucket): boolean {
  return (buckets[bucket] ?? day) >= hour;
}

/** The first microsecond, in UTC, of the bucket in which `time` lies, in SQL. */
export function bucketSql(bucket: StatsBucket): string {
  if (bucket === '1mo') return "epoch_us(date_trunc('month', make_timestamp(time)))";
  // The first day of all was a Thursday.
  const shift = bucket === '1w' ? 3 * day : 0;
  return `time - (time + ${shift}) % ${buckets[bucket]}`;
}
