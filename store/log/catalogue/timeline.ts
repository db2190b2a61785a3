import { DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import { nowUs } from '../../../bus/base/time.ts';
import { StoreError } from '../../base/store-error.ts';
import { CatalogueReader } from './catalogue-reader.ts';
import { existingRecordings } from './recording-catalogue.ts';

/** Times and lengths in microseconds. */
export interface TimelineQuestion {
  /** Any of these; empty is all of which there is something. */
  readonly monitors: readonly string[];
  readonly start: number;
  readonly end: number;
  /** If absent, one is chosen. */
  readonly bucket?: number;
}

/** What was recorded and what happened, in buckets that are counted from `start`, beginning with 0. */
export interface TimelineAnswer {
  readonly start: number;
  readonly end: number;
  readonly bucket: number;
  readonly monitors: readonly MonitorTimeline[];
}

interface MonitorTimeline {
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
 * Two numbers as one, the second below this: a list of numbers for each monitor leaves DuckDB five times as fast as rows of
 * several columns.
 */
const pairFactor = 10_000_000_000;

/** Summarizes recordings and detections over a range of time. */
export class Timeline extends CatalogueReader {
  /**
   * @returns an answer of at most 64 KB as JSON.
   * @throws {StoreError} `invalid` if it would be longer with this bucket, or with all of these monitors.
   */
  read(question: TimelineQuestion): Promise<TimelineAnswer> {
    return this.inTurn(() => this.#read(question));
  }

  async #read(question: TimelineQuestion): Promise<TimelineAnswer> {
    const { start, end } = question;
    const length = end - start;
    if (length <= 0) throw invalid('end', 'end must be after start');
    let bucket = question.bucket ?? chosenLength(length);
    if (length / bucket > maxBuckets)
      throw invalid('bucket', `a longer one: there would be more than ${maxBuckets} buckets`);
    let monitors = await this.#summarize({ ...question, bucket });
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

  async #summarize(question: Required<TimelineQuestion>): Promise<MonitorTimeline[]> {
    const { monitors, start, end, bucket } = question;
    const last = Math.ceil((end - start) / bucket) - 1;
    const chosen = monitors.length > 0 ? `AND monitorID IN (${monitors.map((_, i) => `$${i + 4}`)})` : '';
    const values = [...[start, end, bucket].map((value) => BigInt(value)), ...monitors];
    const rows = (sql: string) => this.rows(sql, values);
    const recorded = await rows(
      `SELECT monitorID, list((first * ${pairFactor} + last)::DOUBLE)
        FROM (
          SELECT DISTINCT monitorID, greatest(0, (startTime - $1) // $3) AS first,
            least(${last}, (greatest(coalesce(endTime, ${nowUs()}), startTime + 1) - 1 - $1) // $3) AS last
          FROM ${existingRecordings}
          WHERE stream = 'main' AND startTime < $2 AND coalesce(endTime, ${nowUs()}) > $1 ${chosen})
        GROUP BY ALL`,
    );
    const happened = await rows(
      `SELECT monitorID, label, list((bucket * ${pairFactor} + count)::DOUBLE)
        FROM (
          SELECT monitorID, label, (time - $1) // $3 AS bucket, count(*) AS count
          FROM event WHERE time >= $1 AND time < $2 ${chosen}
          GROUP BY ALL)
        GROUP BY ALL ORDER BY ALL`,
    );
    const timelines = new Map<
      string,
      { recorded: [number, number][]; events: Map<string, [number, number][]> }
    >();
    const of = (monitor: DuckDBValue | undefined) => {
      const id = String(monitor);
      const timeline = timelines.get(id) ?? { recorded: [], events: new Map() };
      timelines.set(id, timeline);
      return timeline;
    };
    for (const [monitor, packed] of recorded) {
      const { recorded: ranges } = of(monitor);
      for (const [from, to] of pairs(packed)) extend(ranges, from, to);
    }
    for (const [monitor, label, packed] of happened) of(monitor).events.set(String(label), pairs(packed));
    return [...timelines]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { recorded: rows, events }]) => ({
        id,
        recorded: rows,
        events: Object.fromEntries(events),
      }));
  }
}

/** In the order of their first numbers. */
function pairs(packed: DuckDBValue | undefined): [number, number][] {
  const found = Float64Array.from(packed instanceof DuckDBListValue ? packed.items.map(Number) : []).sort();
  return Array.from(found, (each) => [Math.floor(each / pairFactor), each % pairFactor]);
}

/** The same in buckets of twice the length. */
function halved({ id, recorded, events }: MonitorTimeline): MonitorTimeline {
  const ranges: [number, number][] = [];
  for (const [from, to] of recorded) extend(ranges, from >> 1, to >> 1);
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
function extend(ranges: [number, number][], from: number, to: number): void {
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
