import { zoneOffset, zoneTime } from '../../texts/chosen-zone.ts';

/** Spans of time on a screen. Times and lengths are in microseconds. */
export interface TimeSpan {
  readonly start: number;
  readonly end: number;
}

const second = 1e6;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const shortest = 5 * second;
const longest = 62 * day;
/** Between two marks of the scale, in CSS pixels. */
const leastMarkDistance = 76;
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14].map((count) => count * day),
];

export interface ScaleMark {
  readonly time: number;
  /** How exactly it is written. */
  readonly unit: 'day' | 'minute' | 'second';
}

/** The same span, `factor` times as long, with `fixed` where it is. */
export function zoomed({ start, end }: TimeSpan, factor: number, fixed: number): TimeSpan {
  const length = Math.min(longest, Math.max(shortest, (end - start) * factor));
  const share = (fixed - start) / (end - start);
  return { start: fixed - share * length, end: fixed + (1 - share) * length };
}

export const moved = ({ start, end }: TimeSpan, by: number): TimeSpan => ({
  start: start + by,
  end: end + by,
});

/** The span with `time` in it, moved only if it is not. */
export function following(span: TimeSpan, time: number): TimeSpan {
  if (span.start <= time && time < span.end) return span;
  return moved(span, time - span.start - (span.end - span.start) / 10);
}

/** Marks at round times of the pages' time zone, far enough from each other to be written on. */
export function scaleMarks({ start, end }: TimeSpan, width: number): ScaleMark[] {
  const wanted = ((end - start) / Math.max(1, width)) * leastMarkDistance;
  const step = steps.find((one) => one >= wanted) ?? 28 * day;
  const marks: ScaleMark[] = [];
  if (step >= day) {
    const first = Math.ceil((start - zoneOffset(start)) / step) * step;
    for (let local = first; zoneTime(local) < end; local += step)
      marks.push({ time: zoneTime(local), unit: 'day' });
    return marks.filter(({ time }) => time >= start);
  }
  const unit = step >= minute ? 'minute' : 'second';
  const offset = zoneOffset(start);
  for (let local = Math.ceil((start - offset) / step) * step; local + offset < end; local += step) {
    // The clocks may be set in between.
    const time = local + zoneOffset(local + offset);
    marks.push({ time, unit: local % day === 0 ? 'day' : unit });
  }
  return marks;
}
