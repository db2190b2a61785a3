import { BIGINT, type DuckDBConnection, type DuckDBValue, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import { nowUs } from '../../../bus/base/time.ts';
import type { RecordedStream } from '../../../bus/recording-id.ts';
import { type CatalogueWindow, catalogueWindows } from './catalogue-windows.ts';

/** Conditions on recordings; all must hold. Times are Unix times in microseconds. */
export interface RecordingFilter {
  /** Any of these; empty is no condition. */
  readonly monitors?: readonly string[];
  readonly stream?: RecordedStream;
  readonly id?: string;
  /** Only recordings with something from here on. */
  readonly start?: number;
  /** Only recordings with something older than this. */
  readonly end?: number;
  /** Only recordings older than the one with this id, which need not exist. */
  readonly before?: string;
  /** Only recordings newer than the one with this id, which need not exist. */
  readonly after?: string;
  readonly limit: number;
  readonly oldestFirst: boolean;
}

/** A recording that is on disk. What is not known is null. */
export interface CatalogueEntry {
  /** The file's name without its ending. Ids are in the order of the recordings' beginnings. */
  readonly id: string;
  readonly monitorID: string;
  readonly stream: RecordedStream;
  /** Unix times in microseconds; no end while it is written. */
  readonly start: number;
  readonly end: number | null;
  /** Of a recording that is written: as last reported. */
  readonly bytes: number | null;
  readonly videoCodec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly audioCodec: string | null;
  /** Why it ended early; empty otherwise. */
  readonly reason: string;
}

/** The view `recordings` without those whose files were deleted. */
export const existingRecordings = '(FROM recordings WHERE id NOT IN (SELECT id FROM removal))';

/** Lists the recordings that are on disk. */
export class RecordingCatalogue {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Mutex();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  list(filter: RecordingFilter): Promise<CatalogueEntry[]> {
    return this.#turns.runExclusive(async () => {
      for (const window of catalogueWindows(filter, nowUs())) {
        const found = await this.#read(filter, window);
        if (found.length === filter.limit) return found;
      }
      return this.#read(filter, {});
    });
  }

  async #read(filter: RecordingFilter, window: CatalogueWindow): Promise<CatalogueEntry[]> {
    const { where, values } = conditionsOf({ ...filter, ...window });
    const order = filter.oldestFirst ? 'ASC' : 'DESC';
    const found = await this.#connection.runAndReadAll(
      `SELECT id, monitorID, stream, startTime, endTime, bytes, videoCodec, width, height, audioCodec, reason
        FROM ${existingRecordings} ${where} ORDER BY id ${order} LIMIT ${filter.limit}`,
      values,
      values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR)),
    );
    return found.getRows().map(entryOf);
  }

  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }
}

function conditionsOf(filter: RecordingFilter & CatalogueWindow) {
  const { monitors = [], stream, id, start, end, before, after, fromId, toId, fromUs, toUs } = filter;
  const conditions: string[] = [];
  const values: (string | bigint)[] = [];
  const bind = (value: string | bigint) => `$${values.push(value)}`;
  if (monitors.length > 0) conditions.push(`monitorID IN (${monitors.map(bind).join()})`);
  if (stream !== undefined) conditions.push(`stream = ${bind(stream)}`);
  if (id !== undefined) conditions.push(`id = ${bind(id)}`);
  if (start !== undefined) conditions.push(`(endTime IS NULL OR endTime > ${bind(BigInt(start))})`);
  if (end !== undefined) conditions.push(`startTime < ${bind(BigInt(end))}`);
  if (before !== undefined) conditions.push(`id < ${bind(before)}`);
  if (after !== undefined) conditions.push(`id > ${bind(after)}`);
  if (fromId !== undefined) conditions.push(`id >= ${bind(fromId)}`);
  if (toId !== undefined) conditions.push(`id < ${bind(toId)}`);
  if (fromUs !== undefined) conditions.push(`startTime >= ${bind(BigInt(fromUs))}`);
  if (toUs !== undefined) conditions.push(`startTime < ${bind(BigInt(toUs))}`);
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', values };
}

function entryOf(row: readonly DuckDBValue[]): CatalogueEntry {
  const [id, monitorID, stream, start, end, bytes, videoCodec, width, height, audioCodec, reason] = row;
  const number = (value: DuckDBValue | undefined) => (value === null ? null : Number(value));
  const text = (value: DuckDBValue | undefined) => (value === null ? null : String(value));
  return {
    id: String(id),
    monitorID: String(monitorID),
    stream: stream as RecordedStream,
    start: Number(start),
    end: number(end),
    bytes: number(bytes),
    videoCodec: text(videoCodec),
    width: number(width),
    height: number(height),
    audioCodec: text(audioCodec),
    reason: String(reason),
  };
}
