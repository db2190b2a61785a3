import { BIGINT, type DuckDBValue, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { nowUs } from '../../../bus/base/time.ts';
import type { RecordedStream } from '../../../bus/recording-id.ts';
import { CatalogueReader } from './catalogue-reader.ts';

/** The recordings of one day (of their ids), monitor and stream. Times are Unix times in microseconds. */
export interface DayUsage {
  /** `2026-11-23` */
  readonly day: string;
  readonly monitorID: string;
  readonly stream: RecordedStream;
  readonly recordings: number;
  readonly bytes: number;
  /** Of those that ended within the last day, or are written. */
  readonly recentBytes: number;
  /** When the first of them began. */
  readonly start: number;
  /** When the one that was stored last began, and its number; see {@link EndedRecording}. */
  readonly newest: number;
  readonly newestNumber: number;
}

/** A recording that has ended. */
export interface EndedRecording {
  /** Numbers are in the order in which recordings ended, whatever the clock said. */
  readonly number: number;
  readonly id: string;
  readonly end: number;
  readonly bytes: number;
}

export interface Span {
  readonly monitorID: string;
  readonly start: number;
  readonly end: number;
}

/** Which labels were detected during which recording. */
export interface RecordingLabel {
  readonly id: string;
  readonly label: string;
}

/** One question about recordings on disk, of those that are in the catalogue with their size. */
export type UsageQuestion =
  | { readonly kind: 'days' }
  /**
   * The next recordings after the one with this number; those without a number come with the first. Those that were found in
   * the folder, long after they had been recorded, have an order of their own, which is that of their times.
   */
  | { readonly kind: 'ended'; readonly after: number; readonly limit: number; readonly isFound: boolean }
  /**
   * The last recordings before the one with this number, the last one first, of those that were found in the folder, or of the
   * others; those without a number come with the first.
   */
  | { readonly kind: 'latest'; readonly before?: number; readonly limit: number; readonly isFound: boolean }
  /** Of these monitors, since this time. */
  | {
      readonly kind: 'labels';
      readonly monitors: readonly string[];
      readonly labels: readonly string[];
      readonly since: number;
    }
  /** The ids of the events within these times: their own, by default, or those at which the bus took them. */
  | { readonly kind: 'events'; readonly spans: readonly Span[]; readonly by?: 'time' | 'storedAt' };

export interface UsageAnswer {
  readonly days?: readonly DayUsage[];
  readonly ended?: readonly EndedRecording[];
  readonly labels?: readonly RecordingLabel[];
  readonly events?: readonly string[];
}

const dayUs = 24 * 60 * 60 * 1_000_000;
/** Found in the folder long after it was recorded, so that its place among the others says nothing. */
const isFound = '(reportedAt = 0)';
const isLeft = 'bytes IS NOT NULL AND id NOT IN (SELECT id FROM removal)';
/** The host of these was killed: they have no place in the order. */
const cutOff = `FROM machineRecordings WHERE endTime IS NOT NULL AND id IN (SELECT id FROM openRecording) AND ${isLeft}`;

/** Answers what recordings take, and which of them are the oldest, for the retention. */
export class RecordingUsage extends CatalogueReader {
  answer(question: UsageQuestion): Promise<UsageAnswer> {
    return this.inTurn(async () => {
      switch (question.kind) {
        case 'days':
          return { days: await this.#days() };
        case 'ended':
          return { ended: await this.#ended(question) };
        case 'latest':
          return { ended: await this.#latest(question) };
        case 'labels':
          return { labels: await this.#labels(question.monitors, question.labels, question.since) };
        case 'events':
          return { events: await this.#events(question.spans, question.by) };
      }
    });
  }

  async #days(): Promise<DayUsage[]> {
    const rows = await this.rows(
      `SELECT left(id, 10) AS day, monitorID, CASE WHEN ends_with(id, '_sub') THEN 'sub' ELSE 'main' END AS stream,
          count(*), sum(bytes), coalesce(sum(bytes) FILTER (endTime IS NULL OR endTime > $1), 0),
          min(time), arg_max(time, number), max(number)
        FROM (
          SELECT id, monitorID, time, endTime, bytes,
            CASE WHEN ${isFound} THEN time // 1000 - ${Number.MAX_SAFE_INTEGER} ELSE rowid END AS number
          FROM recording WHERE ${isLeft}
          UNION ALL
          SELECT id, monitorID, startTime, endTime, bytes, CASE WHEN endTime IS NULL THEN ${Number.MAX_SAFE_INTEGER} ELSE -1 END
          FROM machineRecordings WHERE id IN (SELECT id FROM openRecording) AND ${isLeft})
        GROUP BY day, monitorID, stream ORDER BY day`,
      [BigInt(nowUs() - dayUs)],
    );
    return rows.map(
      ([day, monitorID, stream, recordings, bytes, recent, start, newest, newestNumber]): DayUsage => ({
        day: String(day),
        monitorID: String(monitorID),
        stream: stream as RecordedStream,
        recordings: Number(recordings),
        bytes: Number(bytes),
        recentBytes: Number(recent),
        start: Number(start),
        newest: Number(newest),
        newestNumber: Number(newestNumber),
      }),
    );
  }

  async #ended(question: Extract<UsageQuestion, { kind: 'ended' }>): Promise<EndedRecording[]> {
    const { after, limit, isFound: wanted } = question;
    // A table is filled in the order in which the bus got the reports, and its copies keep that order.
    const rows = await this.rows(
      `SELECT rowid, id, endTime, bytes FROM recording
        WHERE rowid > $1 AND ${isFound} = ${wanted} AND ${isLeft} ORDER BY rowid LIMIT ${limit}`,
      [BigInt(after)],
    );
    const others =
      after < 0 && !wanted ? await this.rows(`SELECT -1, id, endTime, bytes ${cutOff} ORDER BY id`) : [];
    return [...others, ...rows].map(endedRecording);
  }

  async #latest({ before, limit, isFound: wanted }: Extract<UsageQuestion, { kind: 'latest' }>) {
    const rows = await this.rows(
      `SELECT rowid, id, endTime, bytes FROM recording
        WHERE rowid < $1 AND ${isFound} = ${wanted} AND ${isLeft} ORDER BY rowid DESC LIMIT ${limit}`,
      [BigInt(before ?? Number.MAX_SAFE_INTEGER)],
    );
    const others =
      before === undefined && !wanted
        ? await this.rows(`SELECT -1, id, endTime, bytes ${cutOff} ORDER BY id`)
        : [];
    return [...others, ...rows].map(endedRecording);
  }

  async #labels(monitors: readonly string[], labels: readonly string[], since: number) {
    const rows = await this.rows(
      `SELECT DISTINCT recordings.id, event.label FROM event JOIN recordings
          ON recordings.monitorID = event.monitorID
          AND event.time >= startTime AND event.time < coalesce(endTime, ${nowUs()})
        WHERE event.time >= $1 AND event.monitorID IN (SELECT unnest($2)) AND event.label IN (SELECT unnest($3))
          AND recordings.id NOT IN (SELECT id FROM removal)`,
      [BigInt(since), listValue([...monitors]), listValue([...labels])],
      [BIGINT, LIST(VARCHAR), LIST(VARCHAR)],
    );
    return rows.map(([id, label]): RecordingLabel => ({ id: String(id), label: String(label) }));
  }

  async #events(spans: readonly Span[], by: 'time' | 'storedAt' = 'time'): Promise<string[]> {
    const times = (of: (span: Span) => number) => listValue(spans.map((span) => BigInt(of(span))));
    const rows = await this.rows(
      `SELECT DISTINCT event.id
        FROM event JOIN (SELECT unnest($1) AS monitorID, unnest($2) AS first, unnest($3) AS last) span
          ON event.monitorID = span.monitorID AND event.${by} >= span.first AND event.${by} < span.last`,
      [
        listValue(spans.map(({ monitorID }) => monitorID)),
        times(({ start }) => start),
        times(({ end }) => end),
      ],
      [LIST(VARCHAR), LIST(BIGINT), LIST(BIGINT)],
    );
    return rows.map(([id]) => String(id));
  }
}

const endedRecording = ([number, id, end, bytes]: readonly DuckDBValue[]): EndedRecording => ({
  number: Number(number),
  id: String(id),
  end: Number(end),
  bytes: Number(bytes),
});
