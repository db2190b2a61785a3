import { rangeOf, today } from './footage/day.ts';
import type { TimeSpan } from './timeline/time-scale.ts';

/** What the page's address says. Times are Unix times in microseconds. */
export interface Place {
  /** The cameras that are looked at; none means all. */
  readonly monitors: readonly string[];
  /** The kind of events that is looked for; empty means all. */
  readonly label: string;
  /** The one camera that is played; otherwise all that are looked at. */
  readonly camera?: string | undefined;
  readonly day: string;
  /** The part of time on the screen, if it is not the day. */
  readonly span?: TimeSpan | undefined;
  /** The time to play from. */
  readonly time?: number | undefined;
}

export function readPlace(query: URLSearchParams): Place {
  const time = (name: string) => {
    const text = query.get(name) ?? '';
    return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  };
  const named = query.get('day') ?? '';
  const [start, end] = [time('start'), time('end')];
  return {
    monitors: (query.get('monitor') ?? '').split(',').filter((id) => /^[A-Za-z0-9]{1,24}$/.test(id)),
    label: query.get('label') ?? '',
    camera: query.get('camera') ?? undefined,
    day: /^\d{4}-\d\d-\d\d$/.test(named) ? named : today(),
    span: start !== undefined && end !== undefined && start < end ? { start, end } : undefined,
    time: time('time'),
  };
}

export function placeAddress({ monitors, label, camera, day, span, time }: Place): string {
  const query = [
    ...(monitors.length > 0 ? [`monitor=${monitors.join(',')}`] : []),
    ...(label ? [`label=${encodeURIComponent(label)}`] : []),
    ...(camera ? [`camera=${camera}`] : []),
    `day=${day}`,
    ...(span ? [`start=${Math.round(span.start)}`, `end=${Math.round(span.end)}`] : []),
    ...(time === undefined ? [] : [`time=${Math.round(time)}`]),
  ];
  return `/recordings?${query.join('&')}`;
}

/** The part of time whose events and recordings are listed. */
export const spanOf = ({ span, day }: Pick<Place, 'span' | 'day'>): TimeSpan => span ?? rangeOf(day);
