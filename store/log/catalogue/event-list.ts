import { BIGINT, DuckDBListValue, type DuckDBValue, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import type { Detection } from '../../../bus/messages.ts';
import type { MachineSchema } from '../schema/machine-schema.ts';
import { jointTenures, type UnixSpan } from '../schema/views.ts';
import { type Beside, notRepeated } from './beside.ts';
import { CatalogueReader } from './catalogue-reader.ts';
import { existingRecordings } from './recording-catalogue.ts';

/** Conditions on events; all must hold. Times are Unix times in microseconds. */
export interface EventFilter {
  /** Only the event with this id. */
  readonly id?: string;
  /** Any of these; empty is no condition. */
  readonly monitors?: readonly string[];
  /** Only events of detectors on these machines. */
  readonly machines?: readonly string[];
  /** Only events with a detection of one of these labels. */
  readonly labels?: readonly string[];
  /** Only events from here on. */
  readonly start?: number;
  /** Only events older than this. */
  readonly end?: number;
  /** The machine that is asked and those beside it: what one of these shows is left out. Absent: it is asked alone. */
  readonly beside?: Beside | undefined;
  readonly limit: number;
  readonly oldestFirst: boolean;
}

/** Conditions on occurrences. */
export interface OccurrenceFilter extends EventFilter {
  /** Only those that begin before this, whole: with their events after it. */
  readonly before?: number;
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

type UnrecordedEvent = Omit<ListedEvent, 'recording'>;

/** Events of one monitor that follow each other: somebody who walks by is one of these, whatever detectors make of it. */
export interface Occurrence {
  readonly monitorID: string;
  /** The times of its first and its last event. */
  readonly start: number;
  readonly end: number;
  /** The number of its events. */
  readonly events: number;
  /** The best score of each label. */
  readonly labels: Readonly<Record<string, number>>;
  /** The event whose picture says most: with the best score, of those whose detector makes snapshots if there are any. */
  readonly best: Pick<ListedEvent, 'id' | 'time' | 'recording'>;
}

interface UnrecordedOccurrence extends Omit<Occurrence, 'best'> {
  readonly best: Omit<Occurrence['best'], 'recording'>;
}

/** A longer pause begins another occurrence. */
export const pauseUs = 30_000_000;
/** So many detections are looked at first, for each occurrence that is asked for. */
const firstDetections = 16;
/** Those of months take seconds: at most so many are looked at. */
const maxDetections = 250_000;
/** Occurrences that go on beyond a time at which they were to begin are followed over so many detections. */
const maxFollowed = 20_000;

/** Lists events, in the order of their times. */
export class EventList extends CatalogueReader {
  /** Whether two of these machines have recorded a monitor at once in this time, so that both may have seen the same. */
  isJoint(span: UnixSpan, machines: readonly MachineSchema[]): Promise<boolean> {
    return this.inTurn(async () => {
      const found = await this.rows(`SELECT 1 FROM (${jointTenures(machines, span)}) LIMIT 1`);
      return found.length > 0;
    });
  }

  /** A page has all events of its last time, and may be longer by these: the next one begins at a time. */
  list(filter: EventFilter): Promise<ListedEvent[]> {
    return this.inTurn(async () => {
      const found = await this.#events(filter);
      const recordings = await this.#recordingsOf(found);
      return found.map((event) => ({ ...event, recording: recordings.get(event.id) ?? null }));
    });
  }

  /**
   * The limit and the order are those of occurrences, by their first events. At most {@link maxDetections} are looked at, from
   * the end that comes first; one that goes on beyond them is listed as far as they go.
   */
  occurrences(filter: OccurrenceFilter): Promise<Occurrence[]> {
    return this.inTurn(async () => {
      const found = await this.#occurrences(filter);
      const recordings = await this.#recordingsOf(
        found.map(({ monitorID, best }) => ({ ...best, monitorID })),
      );
      return found.map(({ best, ...rest }) => ({
        ...rest,
        best: { ...best, recording: recordings.get(best.id) ?? null },
      }));
    });
  }

  /** What other machines show is found out for as much time as the page takes, and not for years. */
  async #events(filter: EventFilter): Promise<UnrecordedEvent[]> {
    if (!filter.beside) return this.#page(filter);
    for (let detections = filter.limit * firstDetections; ; detections *= 8) {
      const border = await this.#border(filter, detections);
      if (border === undefined) return this.#page(filter);
      const found = await this.#page({ ...filter, ...windowTo(border, filter) });
      if (found.length >= filter.limit) return found;
    }
  }

  async #page(filter: EventFilter): Promise<UnrecordedEvent[]> {
    const page = await this.#matching(filter, `LIMIT ${filter.limit}`);
    const last = page.at(-1);
    if (!last || page.length < filter.limit) return page;
    const { time } = last;
    const ofLastTime = await this.#matching({ ...filter, start: time, end: time + 1 });
    return [...page.filter((event) => event.time !== time), ...ofLastTime];
  }

  async #matching(filter: EventFilter, limit = ''): Promise<UnrecordedEvent[]> {
    const { where, values } = conditionsOf(filter);
    const order = filter.oldestFirst ? 'ASC' : 'DESC';
    // An event has a row for each detection: the rows of a page are found by the ids of its events.
    const rows = await this.rows(
      `WITH page AS (
          SELECT id, min(time) AS first FROM event ${where} GROUP BY id
          ORDER BY first ${order}, id ${order} ${limit})
        SELECT id, monitorID, source, time, label, score, x, y, width, height, object
        FROM event
        WHERE time >= (SELECT min(first) FROM page) AND time <= (SELECT max(first) FROM page)
          AND id IN (SELECT id FROM page)
        ORDER BY time ${order}, id ${order}`,
      values,
    );
    const events = new Map<string, UnrecordedEvent & { detections: Detection[] }>();
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

  async #occurrences(asked: OccurrenceFilter): Promise<UnrecordedOccurrence[]> {
    const { before } = asked;
    const filter =
      before === undefined ? asked : { ...asked, end: await this.#endOfThoseBefore(asked, before) };
    let detections = Math.min(filter.limit * firstDetections, maxDetections);
    for (;;) {
      const border = await this.#border(filter, detections);
      if (border === undefined) return this.#grouped(filter);
      const found = await this.#grouped({ ...filter, ...windowTo(border, filter) });
      const isWhole = ({ start, end }: UnrecordedOccurrence) =>
        filter.oldestFirst ? end + pauseUs < border : start - pauseUs > border;
      if (detections === maxDetections || (found.length === filter.limit && found.every(isWhole)))
        return found;
      detections = Math.min(detections * 8, maxDetections);
    }
  }

  /** The time of the last of so many detections, in the order that is asked for; undefined if there are fewer. */
  async #border(filter: EventFilter, detections: number): Promise<number | undefined> {
    // Those that another machine shows count as well: it need not be exact.
    const { where, values } = conditionsOf({ ...filter, beside: undefined });
    const order = filter.oldestFirst ? 'ASC' : 'DESC';
    const [row] = await this.rows(
      `SELECT time FROM event ${where} ORDER BY time ${order} LIMIT 1 OFFSET ${detections - 1}`,
      values,
    );
    return row && Number(row[0]);
  }

  /** When the last of the occurrences that begin before a time is over. */
  async #endOfThoseBefore(filter: EventFilter, before: number): Promise<number> {
    const { where, values } = conditionsOf({
      ...filter,
      start: Math.max(filter.start ?? 0, before - pauseUs),
    });
    const [row] = await this.rows(
      `WITH near AS (SELECT monitorID, time FROM event ${where} ORDER BY time LIMIT ${maxFollowed}),
        marked AS (
          SELECT monitorID, time, (time >= ${before}
            AND coalesce(time - lag(time) OVER (PARTITION BY monitorID ORDER BY time) > ${pauseUs}, true))::INTEGER AS begins
          FROM near),
        numbered AS (
          SELECT time, sum(begins) OVER (PARTITION BY monitorID ORDER BY time ROWS UNBOUNDED PRECEDING) AS begun FROM marked)
        SELECT max(time) FROM numbered WHERE begun = 0`,
      values,
    );
    const last = row?.[0];
    const over = Math.max(before, last === null || last === undefined ? 0 : Number(last) + 1);
    return Math.min(over, filter.end ?? over);
  }

  async #grouped(filter: OccurrenceFilter): Promise<UnrecordedOccurrence[]> {
    const { where, values } = conditionsOf(filter);
    const order = filter.oldestFirst ? 'ASC' : 'DESC';
    const having = filter.before === undefined ? '' : `HAVING min(first) < ${filter.before}`;
    const rows = await this.rows(
      `WITH marked AS (
          SELECT monitorID, id, time, label, score,
            coalesce(time - lag(time) OVER monitors > ${pauseUs}, true)::INTEGER AS begins,
            -- The first row of an event, which has one for each detection.
            (lag(id) OVER monitors IS DISTINCT FROM id)::INTEGER AS counted
          FROM event ${where} WINDOW monitors AS (PARTITION BY monitorID ORDER BY time, id)),
        numbered AS (
          SELECT *, sum(begins) OVER (PARTITION BY monitorID ORDER BY time, id ROWS UNBOUNDED PRECEDING) AS number FROM marked),
        labelled AS (
          SELECT monitorID, number, label, min(time) AS first, max(time) AS last, sum(counted) AS events, max(score) AS score,
            max(worth) AS worth, arg_max(id, worth) AS best, arg_max(time, worth) AS bestTime
          FROM (SELECT *, score + CASE WHEN regexp_matches(id, '^[0-9]{8}T[0-9]{9}-') THEN 1000 ELSE 0 END AS worth FROM numbered)
          GROUP BY monitorID, number, label)
        SELECT monitorID, min(first) AS start, max(last), sum(events), arg_max(best, worth), arg_max(bestTime, worth),
          list(label ORDER BY label), list(score ORDER BY label)
        FROM labelled GROUP BY monitorID, number ${having} ORDER BY start ${order}, monitorID LIMIT ${filter.limit}`,
      values,
    );
    return rows.map(([monitorID, start, end, events, best, bestTime, labels, scores]) => ({
      monitorID: String(monitorID),
      start: Number(start),
      end: Number(end),
      events: Number(events),
      labels: Object.fromEntries(
        itemsOf(labels).map((label, index) => [String(label), Number(itemsOf(scores)[index])]),
      ),
      best: { id: String(best), time: Number(bestTime) },
    }));
  }

  async #recordingsOf(
    events: readonly Pick<ListedEvent, 'id' | 'monitorID' | 'time'>[],
  ): Promise<Map<string, string>> {
    if (events.length === 0) return new Map();
    const rows = await this.rows(
      `SELECT wanted.id, max(recording.id)
        FROM (SELECT unnest($1) AS id, unnest($2) AS monitorID, unnest($3) AS time) wanted
        JOIN ${existingRecordings()} recording
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
}

/** What comes up to a border, in the order that is asked for. */
const windowTo = (border: number, { oldestFirst }: EventFilter) =>
  oldestFirst ? { end: border + 1 } : { start: border };

const itemsOf = (value: DuckDBValue | undefined) => (value instanceof DuckDBListValue ? value.items : []);

function conditionsOf({ id, monitors = [], labels = [], start, end, beside }: EventFilter) {
  const conditions: string[] = [];
  const values: (string | bigint)[] = [];
  const bind = (value: string | bigint) => `$${values.push(value)}`;
  if (id !== undefined) conditions.push(`id = ${bind(id)}`);
  if (monitors.length > 0) conditions.push(`monitorID IN (${monitors.map(bind).join()})`);
  if (labels.length > 0) conditions.push(`label IN (${labels.map(bind).join()})`);
  if (start !== undefined) conditions.push(`time >= ${bind(BigInt(start))}`);
  if (end !== undefined) conditions.push(`time < ${bind(BigInt(end))}`);
  if (beside) conditions.push(notRepeated(beside, { start, end }, bind));
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', values };
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
