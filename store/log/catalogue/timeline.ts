import { StoreError } from '../../base/store-error.ts';

/** Times and lengths in microseconds. */
export interface TimelineQuestion {
  /** Any of these; empty is all of which there is something. */
  readonly monitors: readonly string[];
  readonly start: number;
  readonly end: number;
  /** If absent, one is chosen. */
  readonly bucket?: number;
  /** The machines that are heard, if not all; see `MachineFilter`. */
  readonly heard?: readonly string[] | undefined;
}

/** What was recorded and what happened, in buckets that are counted from `start`, beginning with 0. */
export interface TimelineAnswer {
  readonly start: number;
  readonly end: number;
  readonly bucket: number;
  readonly monitors: readonly MonitorTimeline[];
}

export interface MonitorTimeline {
  readonly id: string;
  /** First and last bucket of each row of buckets in which something of the main stream was recorded. */
  readonly recorded: readonly (readonly [number, number])[];
  /** Of each label, the buckets with detections and their number. */
  readonly events: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** Lengths that are chosen; longer ones are doubled from the last. */
const lengths = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  day,
];
/** About the pixels of a timeline on a screen. */
const chosenBuckets = 500;
const maxBuckets = 100_000;
const maxBytes = 64 * 1024;
/**
 * Recordings and detections over a range of time.
 *
 * @param summarize asks each machine for what it has, in buckets of a length.
 * @returns an answer of at most 64 KB as JSON.
 * @throws {StoreError} `invalid` if it would be longer with this bucket, or with all of these monitors.
 */
export async function readTimeline(
  question: TimelineQuestion,
  summarize: (bucket: number) => Promise<readonly (readonly MonitorTimeline[])[]>,
): Promise<TimelineAnswer> {
  const { start, end } = question;
  const length = end - start;
  if (length <= 0) throw invalid('end', 'end must be after start');
  let bucket = question.bucket ?? chosenLength(length);
  if (length / bucket > maxBuckets)
    throw invalid('bucket', `a longer one: there would be more than ${maxBuckets} buckets`);
  let monitors = merged(await summarize(bucket));
  for (;;) {
    const answer: TimelineAnswer = { start, end, bucket, monitors };
    if (JSON.stringify(answer).length <= maxBytes) return answer;
    if (question.bucket !== undefined)
      throw invalid('bucket', 'a longer one: the answer would be over 64 KB');
    if (bucket >= length) throw invalid('monitors', 'fewer: the answer would be over 64 KB');
    bucket *= 2;
    monitors = monitors.map(halved);
  }
}

/** What all machines have: a bucket is recorded if one of them has recorded it. */
function merged(machines: readonly (readonly MonitorTimeline[])[]): readonly MonitorTimeline[] {
  const [only = []] = machines;
  if (machines.length <= 1) return only;
  const byID = new Map<string, MonitorTimeline[]>();
  for (const one of machines.flat()) byID.set(one.id, [...(byID.get(one.id) ?? []), one]);
  return [...byID].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, parts]) => joined(id, parts));
}

function joined(id: string, parts: readonly MonitorTimeline[]): MonitorTimeline {
  const recorded: [number, number][] = [];
  for (const [from, to] of parts.flatMap((part) => part.recorded).sort(([a], [b]) => a - b))
    joinRange(recorded, from, to);
  const labels = [...new Set(parts.flatMap(({ events }) => Object.keys(events)))].sort();
  const events = labels.map((label): [string, [number, number][]] => {
    const counts = new Map<number, number>();
    for (const [bucket, count] of parts.flatMap((part) => part.events[label] ?? []))
      counts.set(bucket, (counts.get(bucket) ?? 0) + count);
    return [label, [...counts].sort(([a], [b]) => a - b)];
  });
  return { id, recorded, events: Object.fromEntries(events) };
}

/** The same in buckets of twice the length. */
function halved({ id, recorded, events }: MonitorTimeline): MonitorTimeline {
  const ranges: [number, number][] = [];
  for (const [from, to] of recorded) joinRange(ranges, from >> 1, to >> 1);
  const counts = Object.entries(events).map(([label, found]) => {
    const sums: [number, number][] = [];
    for (const [at, count] of found) {
      const last = sums.at(-1);
      if (last?.[0] === at >> 1) last[1] += count;
      else sums.push([at >> 1, count]);
    }
    return [label, sums] as const;
  });
  return { id, recorded: ranges, events: Object.fromEntries(counts) };
}

/** Joins what touches or overlaps; `from` is not before the last one's. */
export function joinRange(ranges: [number, number][], from: number, to: number): void {
  const last = ranges.at(-1);
  if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
  else ranges.push([from, to]);
}

function chosenLength(length: number): number {
  const fits = (bucket: number) => length / bucket <= chosenBuckets;
  const found = lengths.find(fits);
  if (found !== undefined) return found;
  let bucket = 2 * day;
  while (!fits(bucket)) bucket *= 2;
  return bucket;
}

function invalid(name: string, expected: string): StoreError {
  return new StoreError('invalid', expected, { pointer: `/${name}` });
}
