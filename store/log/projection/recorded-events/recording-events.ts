import { BIGINT, type DuckDBConnection, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { afterUs, beforeUs, detectionUs, type EventMoves, sameClockUs } from './event-moves.ts';

/** Microseconds. The time of a deletion is that of the name; a recording's row is seldom so far from it. */
const slackUs = 86_400_000_000;

/** A recording that has another name now, or none. */
interface Renamed {
  readonly time: number;
  readonly formerID?: string;
  readonly startedUs?: { readonly former: number; readonly now: number };
}

type RecordingName = { readonly id: string; readonly time: number };

/** A recording of a main stream, as its row has it. Times are Unix times in microseconds. */
interface StoredSpan {
  readonly id: string;
  readonly monitorID: string;
  readonly time: number;
  readonly endTime: number;
}

/** What becomes of events when something becomes of the recording of their time; within the transaction of the report. */
export class RecordingEvents {
  readonly #connection: DuckDBConnection;
  readonly #moves: EventMoves;

  /** @param connection the one that writes. @param moves gets those that later events make as well. */
  constructor(connection: DuckDBConnection, moves: EventMoves) {
    this.#connection = connection;
    this.#moves = moves;
  }

  /**
   * Deletes the events during recordings that were deleted. Those of sub streams take none along: the main stream's
   * recording of the same time may still be there.
   */
  async forget(removed: readonly RecordingName[]): Promise<void> {
    const spans = await this.#spansOf(removed);
    if (spans.length === 0) return;
    const [first, last] = [
      Math.min(...spans.map(({ time }) => time)),
      Math.max(...spans.map(({ endTime }) => endTime)),
    ];
    await this.#connection.run(
      `DELETE FROM event USING (SELECT unnest($1) AS monitorID, unnest($2) AS first, unnest($3) AS last) span
        WHERE event.time >= $4 AND event.time < $5
          AND event.monitorID = span.monitorID AND event.time >= span.first AND event.time < span.last`,
      [
        listValue(spans.map(({ monitorID }) => monitorID)),
        listValue(spans.map(({ time }) => BigInt(time))),
        listValue(spans.map(({ endTime }) => BigInt(endTime))),
        BigInt(first),
        BigInt(last),
      ],
      [LIST(VARCHAR), LIST(BIGINT), LIST(BIGINT), BIGINT, BIGINT],
    );
  }

  /**
   * Gives the events during a recording its true times, as the recording has got them.
   *
   * @returns the recording as it had been; undefined if it has no other name now, or is not known by the former one.
   */
  async move({ formerID, time, startedUs }: Renamed): Promise<StoredSpan | undefined> {
    if (formerID === undefined) return undefined;
    const [former] = await this.#read('id = $1', [formerID], [VARCHAR]);
    if (!former || former.id.endsWith('_sub')) return former;
    const shift = time - former.time;
    // Those of another clock stay. Where nobody knows the clock, those that have moved here already, from a recording before or
    // after it, were stored as far from here as that.
    const sql = `FROM event WHERE monitorID = $1 AND time >= $2 - ${beforeUs} AND time < $3 + ${afterUs}
      AND coalesce(startedUs BETWEEN $5 - ${detectionUs} AND $5 + ${sameClockUs},
        time >= $2 AND time < $3 AND abs(time - storedAt - $4) > abs($4) / 2)`;
    const clock = startedUs === undefined ? null : BigInt(startedUs.former);
    const values = [former.monitorID, BigInt(former.time), BigInt(former.endTime), BigInt(shift), clock];
    const types = [VARCHAR, BIGINT, BIGINT, BIGINT, BIGINT];
    const step = startedUs ? startedUs.now - startedUs.former : shift;
    if (startedUs) {
      const { monitorID, endTime } = former;
      const clocks = { formerUs: startedUs.former, stepUs: step };
      await this.#moves.add({ monitorID, time, endTime: endTime + shift, shiftUs: shift, ...clocks });
    }
    await this.#connection.run(
      `CREATE OR REPLACE TEMP TABLE movedEvent AS
        SELECT * REPLACE (time + $4 AS time, startedUs + $6 AS startedUs) ${sql}`,
      [...values, BigInt(step)],
      [...types, BIGINT],
    );
    // Not updated, see `positions.ts`.
    await this.#connection.run(`DELETE ${sql}`, values, types);
    await this.#connection.run('INSERT INTO event FROM movedEvent ORDER BY time; DROP TABLE movedEvent');
    return former;
  }

  async #spansOf(removed: readonly RecordingName[]): Promise<StoredSpan[]> {
    const main = removed.filter(({ id }) => !id.endsWith('_sub'));
    if (main.length === 0) return [];
    const times = main.map(({ time }) => time);
    return this.#read(
      'time >= $1 AND time < $2 AND id IN (SELECT unnest($3))',
      [
        BigInt(Math.min(...times) - slackUs),
        BigInt(Math.max(...times) + slackUs),
        listValue(main.map(({ id }) => id)),
      ],
      [BIGINT, BIGINT, LIST(VARCHAR)],
    );
  }

  async #read(
    condition: string,
    values: Parameters<DuckDBConnection['run']>[1],
    types: Parameters<DuckDBConnection['run']>[2],
  ): Promise<StoredSpan[]> {
    const found = await this.#connection.runAndReadAll(
      `SELECT id, monitorID, time, endTime FROM recording WHERE ${condition}
        UNION ALL SELECT id, monitorID, time, endTime FROM openRecording WHERE ${condition}`,
      values,
      types,
    );
    return found.getRows().map(([id, monitorID, time, endTime]) => ({
      id: String(id),
      monitorID: String(monitorID),
      time: Number(time),
      endTime: Number(endTime),
    }));
  }
}
