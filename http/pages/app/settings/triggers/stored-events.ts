import { getJson } from '../../data/request.ts';
import type { PageEvent } from './trigger-outcome.ts';

/** Events of a time, newest first. */
export interface FoundEvents {
  readonly events: readonly PageEvent[];
  /** The time from which on they are complete, a Unix time in microseconds. */
  readonly since: number;
  /** Whether there are more than were fetched. */
  readonly isPart: boolean;
}

const pageSize = 500;
const maxPages = 40;

/** The newest events of a monitor with these labels from `start` on, at most 20,000. @throws {RequestFailure} */
export function storedEvents(
  monitorID: string,
  labels: readonly string[],
  start: number,
  signal: AbortSignal,
): Promise<FoundEvents> {
  return collectEvents((end) => {
    const query = new URLSearchParams({ monitors: monitorID, start: String(start), limit: String(pageSize) });
    query.set('labels', labels.join(','));
    if (end !== undefined) query.set('end', String(end));
    return getJson<PageEvent[]>(`/api/event/query?${query}`, signal);
  }, start);
}

/** Asks for page after page. @param ask answers with events older than `end`, newest first; undefined is now. */
export async function collectEvents(
  ask: (end: number | undefined) => Promise<readonly PageEvent[]>,
  start: number,
): Promise<FoundEvents> {
  const found = new Map<string, PageEvent>();
  let end: number | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const events = await ask(end);
    const known = found.size;
    for (const event of events) found.set(event.id, event);
    const last = events.at(-1);
    if (last === undefined || events.length < pageSize)
      return { events: [...found.values()], since: start, isPart: false };
    // Events of one moment may be on both sides of a page's end; a page of nothing else is passed over.
    end = found.size === known ? last.time : last.time + 1;
  }
  return { events: [...found.values()], since: end ?? start, isPart: true };
}
