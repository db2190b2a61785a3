import type { TimeZone } from './time-zone.ts';

const secondUs = 1_000_000;
const minute = 60 * secondUs;
export const hourUs = 60 * minute;
const dayUs = 24 * hourUs;

/** Lengths in microseconds. Weeks begin on Monday; months vary in length. */
const buckets = {
  '1s': secondUs,
  '5s': 5 * secondUs,
  '10s': 10 * secondUs,
  '30s': 30 * secondUs,
  '1m': minute,
  '5m': 5 * minute,
  '10m': 10 * minute,
  '15m': 15 * minute,
  '30m': 30 * minute,
  '1h': hourUs,
  '3h': 3 * hourUs,
  '6h': 6 * hourUs,
  '12h': 12 * hourUs,
  '1d': dayUs,
  '1w': 7 * dayUs,
  '1mo': undefined,
} as const;
export type StatsBucket = keyof typeof buckets;
export const statsBuckets = Object.keys(buckets) as StatsBucket[];

/** What entries are counted by, besides buckets of time. */
export const statsGroups = ['level', 'src', 'monitorID', 'machine'] as const;
export type StatsGroup = (typeof statsGroups)[number];

/** Whether buckets of this length consist of whole hours. */
export function holdsHours(bucket: StatsBucket): boolean {
  return (buckets[bucket] ?? dayUs) >= hourUs;
}

/** Longer ones begin at other times in another time zone: all zones are a multiple of 15 minutes away from UTC. */
export function dependsOnZone(bucket: StatsBucket): boolean {
  return (buckets[bucket] ?? dayUs) > buckets['15m'];
}

/** SQL for the first microsecond, by the clocks of a zone, of the bucket that contains `time`. */
export function zoneBucketSql(bucket: StatsBucket, { name }: TimeZone): string {
  const local = `epoch_us(timezone('${name}', make_timestamp(time)::TIMESTAMPTZ))`;
  // An hour that occurs twice, when daylight saving time ends, is two buckets.
  if (bucket === '30m' || bucket === '1h') return `time - ${local} % ${buckets[bucket]}`;
  const start = bucketSql(bucket).replace(/\btime\b/g, local);
  return `epoch_us(timezone('${name}', make_timestamp(${start})))`;
}

/** SQL for the first microsecond, in UTC, of the bucket that contains `time`. */
export function bucketSql(bucket: StatsBucket): string {
  if (bucket === '1mo') return "epoch_us(date_trunc('month', make_timestamp(time)))";
  // 1 January 1970 was a Thursday.
  const shift = bucket === '1w' ? 3 * dayUs : 0;
  return `time - (time + ${shift}) % ${buckets[bucket]}`;
}
