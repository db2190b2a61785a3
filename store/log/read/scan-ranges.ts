import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import { begin, rollBack } from '../schema/transaction.ts';
import { rolledUpHours } from './hourly-rollup.ts';
import { filterSql, type LogFilter } from './log-filter.ts';
import { hourUs } from './stats-buckets.ts';
import { trigramsOf } from './trigrams.ts';

/**
 * The parts of the log that a query has to read. A query that reads them in order and stops when it has enough entries
 * seldom reads much: the other columns of the entries are read in these parts only.
 */

/** Strictly between two times: Unix time in microseconds. */
export interface ScanRange {
  readonly after: number;
  readonly time: number;
}

/** Slices that a search reads first; then four times as many, and so on. */
const firstSlices = 4;
/** Slices closer together are read at once: DuckDB keeps the lowest and highest time per 122,880 rows. */
const nearSlices = 8;
/** Entries that are read first; then four times as many, and so on. */
const firstEntries = 250_000;

/** Runs queries on one snapshot of the database, independent of concurrent writes. */
export async function inSnapshot<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await begin(connection);
  try {
    return await work();
  } finally {
    // The transaction wrote nothing.
    await rollBack(connection);
  }
}

/** The window between the filter's times. */
export function wholeRange({ after = -1, time = Number.MAX_SAFE_INTEGER }: LogFilter): ScanRange {
  return { after, time };
}

/** @returns the part of a window between two times; undefined if it is empty. */
export function clip({ after, time }: ScanRange, other: Partial<ScanRange>): ScanRange | undefined {
  const part = {
    after: Math.max(after, other.after ?? after),
    time: Math.min(time, other.time ?? time),
  };
  return part.time - part.after > 1 ? part : undefined;
}

/**
 * The windows that may contain entries with the filter's text.
 *
 * @param oldestFirst the order of the windows; otherwise newest first.
 */
export async function* rangesByText(
  connection: DuckDBConnection,
  filter: LogFilter,
  oldestFirst: boolean,
): AsyncGenerator<ScanRange> {
  const whole = wholeRange(filter);
  const ends = await connection.runAndReadAll('SELECT min(first), max(last) FROM slice');
  const [first, last] = ends.getRows()[0] ?? [];
  if (typeof first !== 'bigint') return yield whole;
  const [before, behind] = [clip(whole, { time: Number(first) }), clip(whole, { after: Number(last) })];
  const [start, end] = oldestFirst ? [before, behind] : [behind, before];
  if (start) yield start;
  for (const group of grouped(await candidates(connection, filter, oldestFirst))) {
    const after = Math.min(...group.map((slice) => slice.first)) - 1;
    const part = clip(whole, { after, time: Math.max(...group.map((slice) => slice.last)) + 1 });
    if (part) yield part;
  }
  if (end) yield end;
}

interface Slice {
  readonly number: number;
  readonly first: number;
  readonly last: number;
}

/** The slices with all trigrams of the filter's text. */
async function candidates(
  connection: DuckDBConnection,
  filter: LogFilter,
  oldestFirst: boolean,
): Promise<Slice[]> {
  const { after, time } = wholeRange(filter);
  const pieces = trigramsOf(filter.text ?? '').map((bit) => `AND get_bit(grams, ${bit}) = 1`);
  const found = await connection.runAndReadAll(
    `SELECT number, first, last FROM slice WHERE last > $1 AND first < $2 ${pieces.join(' ')}
      ORDER BY number ${oldestFirst ? 'ASC' : 'DESC'}`,
    [BigInt(after), BigInt(time)],
    [BIGINT, BIGINT],
  );
  return found.getRows().map((row) => {
    const [number = 0, first = 0, last = 0] = row.map(Number);
    return { number, first, last };
  });
}

/** Groups slices that are read at once. */
function* grouped(slices: readonly Slice[]): Generator<Slice[]> {
  let most = firstSlices;
  let group: Slice[] = [];
  for (const slice of slices) {
    const [first = slice, last = slice] = [group[0], group.at(-1)];
    const distance = Math.abs(slice.number - last.number);
    if (distance > nearSlices || Math.abs(slice.number - first.number) >= most) {
      yield group;
      most *= 4;
      group = [];
    }
    group.push(slice);
  }
  if (group.length > 0) yield group;
}

/**
 * The windows that contain the first matching entries, up to the filter's limit. For filters without text.
 *
 * @param oldestFirst the order of the windows, and from which end of the log the entries are wanted.
 */
export async function* rangesByCount(
  connection: DuckDBConnection,
  filter: LogFilter,
  limit: number,
  oldestFirst: boolean,
): AsyncGenerator<ScanRange> {
  const whole = wholeRange(filter);
  const counted = await rolledUpHours(connection);
  if (!counted) return yield whole;
  const before = clip(whole, { time: counted.from });
  const behind = clip(whole, { after: counted.to - 1 });
  const [start, end] = oldestFirst ? [before, behind] : [behind, before];
  if (start) yield start;
  let sum = 0;
  let reach: ScanRange | undefined;
  for (const [time, entries] of await hourCounts(connection, filter, oldestFirst)) {
    reach = {
      after: Math.min(reach?.after ?? time, time - 1),
      time: Math.max(reach?.time ?? time, time + hourUs),
    };
    // The count of an hour that is only partly in the window is unknown.
    if (time > whole.after && time + hourUs <= whole.time) sum += entries;
    if (sum >= limit) break;
  }
  const part = reach && clip(whole, reach);
  if (part) yield part;
  if (end && sum < limit) yield end;
}

/** Divides the whole range into growing parts, oldest first. */
export async function* growingRanges(
  connection: DuckDBConnection,
  filter: LogFilter,
): AsyncGenerator<ScanRange> {
  const whole = wholeRange(filter);
  let most = firstEntries;
  let sum = 0;
  let { after } = whole;
  for (const [time, entries] of await hourCounts(connection, filter, true)) {
    sum += entries;
    const part = sum >= most ? clip(whole, { after, time: time + hourUs }) : undefined;
    if (!part) continue;
    yield part;
    after = part.time - 1;
    sum = 0;
    most *= 4;
  }
  const rest = clip(whole, { after });
  if (rest) yield rest;
}

/** The number of matching entries in each counted hour that has any. */
async function hourCounts(
  connection: DuckDBConnection,
  filter: LogFilter,
  oldestFirst: boolean,
): Promise<[time: number, entries: number][]> {
  const { after } = wholeRange(filter);
  const { where, values } = filterSql({ ...filter, after: Math.max(-1, after - hourUs) });
  const found = await connection.runAndReadAll(
    `SELECT time, sum(entries) FROM hourly ${where} GROUP BY time ORDER BY time ${oldestFirst ? 'ASC' : 'DESC'}`,
    values,
    values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR)),
  );
  return found.getRows().map(([time, entries]) => [Number(time), Number(entries)]);
}
