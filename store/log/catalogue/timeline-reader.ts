import { DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import { nowUs } from '../../../bus/base/time.ts';
import { type Beside, notRepeated } from './beside.ts';
import { CatalogueReader } from './catalogue-reader.ts';
import { existingRecordings } from './recording-catalogue.ts';
import { joinRange, type MonitorTimeline, type TimelineQuestion } from './timeline.ts';

/**
 * Two numbers as one, the second below this: a list of numbers for each monitor leaves DuckDB five times as fast as rows of
 * several columns.
 */
const pairFactor = 10_000_000_000;

interface SummaryQuestion extends Required<Pick<TimelineQuestion, 'monitors' | 'start' | 'end' | 'bucket'>> {
  /** See `MachineFilter`. */
  readonly isAway: boolean;
  /** See `EventFilter`. */
  readonly beside: Beside | undefined;
}

/** Summarizes the recordings and detections of one machine over a range of time. */
export class TimelineReader extends CatalogueReader {
  /** @returns the monitors in the order of their ids. */
  summarize(question: SummaryQuestion): Promise<MonitorTimeline[]> {
    return this.inTurn(() => this.#summarize(question));
  }

  async #summarize(question: SummaryQuestion): Promise<MonitorTimeline[]> {
    const { monitors, start, end, bucket, isAway, beside } = question;
    const last = Math.ceil((end - start) / bucket) - 1;
    const chosen = monitors.length > 0 ? `AND monitorID IN (${monitors.map((_, i) => `$${i + 4}`)})` : '';
    const values = [...[start, end, bucket].map((value) => BigInt(value)), ...monitors];
    const rows = (sql: string, more: readonly string[] = []) => this.rows(sql, [...values, ...more]);
    const machines: string[] = [];
    const bind = (machine: string) => `$${values.length + machines.push(machine)}`;
    const once = beside ? `AND ${notRepeated(beside, { start, end }, bind)}` : '';
    const recorded = await rows(
      `SELECT monitorID, list((first * ${pairFactor} + last)::DOUBLE)
        FROM (
          SELECT DISTINCT monitorID, greatest(0, (startTime - $1) // $3) AS first,
            least(${last}, (greatest(coalesce(endTime, ${nowUs()}), startTime + 1) - 1 - $1) // $3) AS last
          FROM ${existingRecordings(isAway)}
          WHERE stream = 'main' AND startTime < $2 AND coalesce(endTime, ${nowUs()}) > $1 ${chosen})
        GROUP BY ALL`,
    );
    const happened = await rows(
      `SELECT monitorID, label, list((bucket * ${pairFactor} + count)::DOUBLE)
        FROM (
          SELECT monitorID, label, (time - $1) // $3 AS bucket, count(*) AS count
          FROM event WHERE time >= $1 AND time < $2 ${chosen} ${once}
          GROUP BY ALL)
        GROUP BY ALL ORDER BY ALL`,
      machines,
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
      for (const [from, to] of pairs(packed)) joinRange(ranges, from, to);
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
