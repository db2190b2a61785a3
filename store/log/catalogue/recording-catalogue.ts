import type { DuckDBValue } from '@duckdb/node-api';
import { nowUs } from '../../../bus/base/time.ts';
import type { RecordingReport } from '../../../bus/messages.ts';
import type { RecordedStream } from '../../../bus/recording-id.ts';
import { allRecordings, streamName, unendedRecordings } from '../schema/schema.ts';
import type { CataloguePage, StoredRecordings } from '../schema/stored-recordings.ts';
import { CatalogueReader } from './catalogue-reader.ts';
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

/** What the recordings of one machine are asked, beside those of others. */
export interface MachineFilter extends RecordingFilter {
  /** The recordings with the ids in `before` and `after` are wanted, too. */
  readonly withBefore?: boolean;
  readonly withAfter?: boolean;
  /** The machine is not heard: what it was writing ended, for all that is known, with what was reported last. */
  readonly isAway?: boolean;
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

/** Times are Unix times in microseconds. */
export interface TenureQuestion {
  readonly monitorID: string;
  readonly start: number;
  readonly end: number;
}

/** How a machine recorded a monitor from a time on; see `tenureRank`. */
export interface StoredRank {
  readonly time: number;
  readonly rank: number;
}

/** Recordings of a page for another machine: so many are looked for near their place. */
const pageSize = 500;

/** The recordings of a machine without those whose files were deleted. */
export const existingRecordings = (isAway = false) =>
  `(FROM ${isAway ? `(${allRecordings(true)})` : 'machineRecordings'} WHERE id NOT IN (SELECT id FROM removal))`;

/** Lists the recordings that are on disk. */
export class RecordingCatalogue extends CatalogueReader {
  /** Those of which the end is not known, and perhaps others: a page that is older needs no question about them. */
  #open = new Set<string>();
  /** When the newest one that was deleted began, or later: Unix time in microseconds. */
  #newestRemovedUs = 0;

  /** To be called before anything is added. */
  async load(): Promise<void> {
    const open = await this.rows('SELECT id FROM openRecording');
    const [[newest] = []] = await this.rows('SELECT max(time) FROM removal');
    this.learn({ open: open.map(([id]) => String(id)), ended: [], removedUs: [Number(newest ?? 0)] });
  }

  /** What was added. */
  learn({ open, ended, removedUs }: StoredRecordings): void {
    for (const id of ended) this.#open.delete(id);
    for (const id of open) this.#open.add(id);
    for (const timeUs of removedUs) this.#newestRemovedUs = Math.max(this.#newestRemovedUs, timeUs);
  }

  list(filter: MachineFilter): Promise<CatalogueEntry[]> {
    return this.inTurn(async () => {
      const windows = catalogueWindows(filter, nowUs());
      const oldest = this.#oldestUnended(filter);
      if (oldest !== undefined && filter.oldestFirst && windows[0]) {
        const found = await this.#ended(filter, windows[0]);
        if (found.length === filter.limit && (found.at(-1)?.id ?? '') < oldest) return found;
      }
      // Read before the others: one that ends meanwhile is then among both.
      const unended = oldest === undefined ? [] : await this.#unended(filter);
      for (const window of windows) {
        const found = pageOf(filter, await this.#ended(filter, window), unended, window);
        if (found.length === filter.limit) return found;
      }
      return pageOf(filter, await this.#ended(filter, {}), unended, {});
    });
  }

  /** What another machine compares with what it knows: the recordings with ids after this one. */
  async page(after: string): Promise<CataloguePage> {
    const [[identity, sequence] = ['', 0]] = await this.inTurn(() =>
      this.rows("SELECT identity, sequence FROM position WHERE stream = 'RECORDINGS'"),
    );
    const open = new Set(this.#open);
    const found = await this.list({ after, limit: pageSize, oldestFirst: true });
    return {
      ...{ identity: String(identity), sequence: Number(sequence), isLast: found.length < pageSize },
      recordings: found.map((entry) => reportOf(entry, open.has(entry.id))),
    };
  }

  /** How the machine recorded a monitor, in the order of time; the first is that of the beginning. */
  ranks({ monitorID, start, end }: TenureQuestion): Promise<StoredRank[]> {
    return this.inTurn(async () => {
      const rows = await this.rows(
        `SELECT time, rank FROM tenure WHERE monitorID = $1 AND time < $3 AND time >= coalesce(
            (SELECT max(before.time) FROM tenure before WHERE before.monitorID = $1 AND before.time <= $2), 0)
          ORDER BY time`,
        [monitorID, BigInt(start), BigInt(end)],
      );
      return rows.map(([time, rank]) => ({ time: Number(time), rank: Number(rank) }));
    });
  }

  /** The view would be planned anew, and joined with deletions of years, for each page. */
  async #ended(filter: MachineFilter, window: CatalogueWindow): Promise<CatalogueEntry[]> {
    const { conditions, values, bind } = conditionsOf(filter, 'time');
    const { fromId, toId, fromUs, toUs } = window;
    if (fromId !== undefined) conditions.push(`id >= ${bind(fromId)}`);
    if (toId !== undefined) conditions.push(`id < ${bind(toId)}`);
    const times = [
      ...(fromUs === undefined ? [] : [`time >= ${bind(BigInt(fromUs))}`]),
      ...(toUs === undefined ? [] : [`time < ${bind(BigInt(toUs))}`]),
    ];
    conditions.push(...times);
    if (fromUs === undefined || fromUs <= this.#newestRemovedUs)
      conditions.push(`id NOT IN (SELECT id FROM removal ${whereOf(times)})`);
    const rows = await this.rows(
      `SELECT id, monitorID, time, endTime, bytes, videoCodec, width, height, audioCodec, reason
        FROM recording ${whereOf(conditions)} ${orderOf(filter)}`,
      values,
    );
    return rows.map(entryOf);
  }

  /** @returns the id of the oldest recording that nobody has ended; undefined if none of these can match. */
  #oldestUnended({ before, after, id }: RecordingFilter): string | undefined {
    let [oldest, newest]: (string | undefined)[] = [];
    for (const each of this.#open) {
      if (oldest === undefined || each < oldest) oldest = each;
      if (newest === undefined || each > newest) newest = each;
    }
    if (oldest === undefined || newest === undefined) return undefined;
    const isOutside = (before ?? id ?? newest) < oldest || (after ?? id ?? oldest) > newest;
    return isOutside ? undefined : oldest;
  }

  /** Few: one for each stream that is recorded, and one for each kill. To plan this takes longer than to read a page. */
  async #unended(filter: MachineFilter): Promise<CatalogueEntry[]> {
    const { conditions, values } = conditionsOf(filter, 'startTime');
    conditions.push('id NOT IN (SELECT id FROM removal)');
    const rows = await this.rows(
      `SELECT id, monitorID, startTime, endTime, bytes, videoCodec, width, height, audioCodec, reason
        FROM (${unendedRecordings(filter.isAway)}) ${whereOf(conditions)} ${orderOf(filter)}`,
      values,
    );
    return rows.map(entryOf);
  }
}

/** The first ones of both. One that has ended meanwhile is in both. */
function pageOf(
  { limit, oldestFirst }: RecordingFilter,
  ended: readonly CatalogueEntry[],
  unended: readonly CatalogueEntry[],
  { fromId = '', toId }: CatalogueWindow,
): CatalogueEntry[] {
  const known = new Set(ended.map(({ id }) => id));
  const others = unended.filter(
    ({ id }) => !known.has(id) && id >= fromId && (toId === undefined || id < toId),
  );
  const sign = oldestFirst ? 1 : -1;
  return [...ended, ...others].sort((a, b) => (a.id < b.id ? -sign : sign)).slice(0, limit);
}

/** @param begins the column with the beginning of a recording. */
function conditionsOf(filter: MachineFilter, begins: 'time' | 'startTime') {
  const { monitors = [], stream, id, start, end, before, after, withBefore, withAfter } = filter;
  const conditions: string[] = [];
  const values: (string | bigint)[] = [];
  const bind = (value: string | bigint) => `$${values.push(value)}`;
  if (monitors.length > 0) conditions.push(`monitorID IN (${monitors.map(bind).join()})`);
  if (stream !== undefined) conditions.push(`${streamName('id')} = ${bind(stream)}`);
  if (id !== undefined) conditions.push(`id = ${bind(id)}`);
  if (start !== undefined) conditions.push(`(endTime IS NULL OR endTime > ${bind(BigInt(start))})`);
  if (end !== undefined) conditions.push(`${begins} < ${bind(BigInt(end))}`);
  if (before !== undefined) conditions.push(`id ${withBefore ? '<=' : '<'} ${bind(before)}`);
  if (after !== undefined) conditions.push(`id ${withAfter ? '>=' : '>'} ${bind(after)}`);
  return { conditions, values, bind };
}

const whereOf = (conditions: readonly string[]) =>
  conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
const orderOf = ({ oldestFirst, limit }: RecordingFilter) =>
  `ORDER BY id ${oldestFirst ? 'ASC' : 'DESC'} LIMIT ${limit}`;

function entryOf(row: readonly DuckDBValue[]): CatalogueEntry {
  const [id, monitorID, start, end, bytes, videoCodec, width, height, audioCodec, reason] = row;
  const number = (value: DuckDBValue | undefined) => (value === null ? null : Number(value));
  const text = (value: DuckDBValue | undefined) => (value === null ? null : String(value));
  return {
    id: String(id),
    monitorID: String(monitorID),
    stream: String(id).endsWith('_sub') ? 'sub' : 'main',
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

/** @param isOpen whether its end was not reported: more of it may be. */
function reportOf(entry: CatalogueEntry, isOpen: boolean): RecordingReport {
  const { id, monitorID, start, end, bytes, videoCodec, width, height, audioCodec, reason } = entry;
  const video = videoCodec !== null && { codec: videoCodec, width: width ?? 0, height: height ?? 0 };
  return {
    ...{ id, monitorID, start, reason },
    state: isOpen || end === null ? 'growing' : 'found',
    end: end ?? start,
    bytes: bytes ?? 0,
    streams: [...(video ? [video] : []), ...(audioCodec === null ? [] : [{ codec: audioCodec }])],
  };
}
