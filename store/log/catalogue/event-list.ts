import { BIGINT, type DuckDBConnection, type DuckDBValue, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { Detection } from '../../../bus/messages.ts';
import { existingRecordings } from './recording-catalogue.ts';

/** Conditions on events; all must hold. Times are Unix times in microseconds. */
export interface EventFilter {
  /** Any of these; empty is no condition. */
  readonly monitors?: readonly string[];
  /** Only events with a detection of one of these labels. */
  readonly labels?: readonly string[];
  /** Only events from here on. */
  readonly start?: number;
  /** Only events older than this. */
  readonly end?: number;
  readonly limit: number;
  readonly oldestFirst: boolean;
}

/** An event, and the recording of the main stream that shows it. */
export interface ListedEvent {
  readonly id: string;
  readonly monitorID: string;
  /** The detector. */
  readonly source: string;
  /** When its frame was taken. */
  readonly time: number;
  readonly detections: readonly Detection[];
  /** Null if there is no recording of this time on disk. */
  readonly recording: string | null;
}

/** Lists events, in the order of their times. */
export class EventList {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Mutex();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  list(filter: EventFilter): Promise<ListedEvent[]> {
    return this.#turns.runExclusive(async () => {
      const found = await this.#events(filter);
      const recordings = found.length > 0 ? await this.#recordingsOf(found) : new Map<string, string>();
      return found.map((event) => ({ ...event, recording: recordings.get(event.id) ?? null }));
    });
  }

  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }

  async #events(filter: EventFilter): Promise<Omit<ListedEvent, 'recording'>[]> {
    const { where, values, types } = conditionsOf(filter);
    const order = filter.oldestFirst ? 'ASC' : 'DESC';
    // An event has a row for each detection: the rows of a page are found by the ids of its events.
    const rows = await this.#rows(
      `WITH page AS (
          SELECT id, min(time) AS first FROM event ${where} GROUP BY id
          ORDER BY first ${order}, id ${order} LIMIT ${filter.limit})
        SELECT id, monitorID, source, time, label, score, x, y, width, height, object
        FROM event
        WHERE time >= (SELECT min(first) FROM page) AND time <= (SELECT max(first) FROM page)
          AND id IN (SELECT id FROM page)
        ORDER BY time ${order}, id ${order}`,
      values,
      types,
    );
    const events = new Map<string, Omit<ListedEvent, 'recording'> & { detections: Detection[] }>();
    for (const [id, monitorID, source, time, ...detection] of rows) {
      const key = String(id);
      const event = events.get(key) ?? {
        ...{ id: key, monitorID: String(monitorID), source: String(source), time: Number(time) },
        detections: [],
      };
      event.detections.push(detectionOf(detection));
      events.set(key, event);
    }
    return [...events.values()];
  }

  async #recordingsOf(events: readonly Omit<ListedEvent, 'recording'>[]): Promise<Map<string, string>> {
    const rows = await this.#rows(
      `SELECT wanted.id, max(recording.id)
        FROM (SELECT unnest($1) AS id, unnest($2) AS monitorID, unnest($3) AS time) wanted
        JOIN ${existingRecordings} recording
          ON recording.monitorID = wanted.monitorID AND stream = 'main' AND startTime <= wanted.time
          AND (endTime IS NULL OR endTime > wanted.time)
        GROUP BY wanted.id`,
      [
        listValue(events.map(({ id }) => id)),
        listValue(events.map(({ monitorID }) => monitorID)),
        listValue(events.map(({ time }) => BigInt(time))),
      ],
      [LIST(VARCHAR), LIST(VARCHAR), LIST(BIGINT)],
    );
    return new Map(rows.map(([id, recording]) => [String(id), String(recording)]));
  }

  async #rows(sql: string, values: DuckDBValue[], types: Parameters<DuckDBConnection['runAndReadAll']>[2]) {
    return (await this.#connection.runAndReadAll(sql, values, types)).getRows();
  }
}

function conditionsOf({ monitors = [], labels = [], start, end }: EventFilter) {
  const conditions: string[] = [];
  const values: (string | bigint)[] = [];
  const bind = (value: string | bigint) => `$${values.push(value)}`;
  if (monitors.length > 0) conditions.push(`monitorID IN (${monitors.map(bind).join()})`);
  if (labels.length > 0) conditions.push(`label IN (${labels.map(bind).join()})`);
  if (start !== undefined) conditions.push(`time >= ${bind(BigInt(start))}`);
  if (end !== undefined) conditions.push(`time < ${bind(BigInt(end))}`);
  const types = values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR));
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', values, types };
}

function detectionOf([label, score, x, y, width, height, object]: readonly DuckDBValue[]): Detection {
  const box = { x: Number(x), y: Number(y), width: Number(width), height: Number(height) };
  return {
    label: String(label),
    score: Number(score),
    ...(x !== null && { box }),
    ...(object !== null && { object: String(object) }),
  };
}
