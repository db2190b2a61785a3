import type { Polled } from '../data/polled.ts';
import { usePolled } from '../data/polled.ts';
import { rangeOf, today } from './day.ts';

/** An answer of `/api/recording/query`. Times are Unix times in microseconds. */
export interface RecordedFile {
  readonly id: string;
  readonly state: 'recording' | 'saved' | 'lost';
  readonly start: number;
  /** Null while it is written. */
  readonly end: number | null;
  readonly bytes: number | null;
  readonly video: { readonly codec: string; readonly width: number; readonly height: number } | null;
  readonly reason: string;
}

/** An answer of `/api/timeline`, for one monitor. */
export interface DayTimeline {
  readonly start: number;
  readonly end: number;
  /** Length in microseconds. */
  readonly bucket: number;
  readonly monitors: readonly {
    readonly id: string;
    readonly recorded: readonly (readonly [first: number, last: number])[];
    readonly events: Readonly<Record<string, readonly (readonly [bucket: number, count: number])[]>>;
  }[];
}

export const maxFiles = 1000;
const todayIntervalMs = 10_000;
/** Of a day that is over, recordings can only be deleted. */
const pastIntervalMs = 60_000;

export function useRecordedDay(
  monitorID: string,
  day: string,
): { readonly files: Polled<readonly RecordedFile[]>; readonly timeline: DayTimeline | undefined } {
  const { start, end } = rangeOf(day);
  const intervalMs = day === today() ? todayIntervalMs : pastIntervalMs;
  const span = `monitors=${monitorID}&start=${start}&end=${end}`;
  const files = usePolled<readonly RecordedFile[]>(
    `/api/recording/query?${span}&limit=${maxFiles}`,
    intervalMs,
  );
  const timeline = usePolled<DayTimeline>(`/api/timeline?${span}`, intervalMs);
  return { files: files.value, timeline: timeline.value.value };
}

/** How often each label was detected in a span of time, as far as the buckets can tell. */
export function labelsIn(timeline: DayTimeline | undefined, start: number, end: number): [string, number][] {
  const { bucket = 1, start: origin = 0, monitors = [] } = timeline ?? {};
  return monitors.flatMap(({ events }) =>
    Object.entries(events).flatMap(([label, buckets]): [string, number][] => {
      const inside = buckets.filter(([index]) => {
        const middle = origin + (index + 0.5) * bucket;
        return start <= middle && middle < end;
      });
      const count = inside.reduce((sum, [, each]) => sum + each, 0);
      return count === 0 ? [] : [[label, count]];
    }),
  );
}
