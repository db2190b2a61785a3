import type { LogEntry, LogLevel } from '../../../../bus/messages.ts';

export const levels = ['error', 'warning', 'info', 'debug'] as const satisfies readonly LogLevel[];

/** What an address without levels shows: entries of level debug are for whoever looks for a fault. */
const usualLevels: readonly LogLevel[] = ['error', 'warning', 'info'];

/** What the page's address asks for; empty texts mean all. */
export interface ChosenEntries {
  readonly levels: readonly LogLevel[];
  readonly source: string;
  readonly monitor: string;
  /** Where several machines are one system. */
  readonly machine: string;
  readonly text: string;
  /** The part of time that the chart shows, Unix times in microseconds; entries begin at its end. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export function readFilter(query: URLSearchParams): ChosenEntries {
  const time = (name: string) => {
    const text = query.get(name) ?? '';
    return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  };
  const named = query.get('levels')?.split(',') ?? [];
  const chosen = levels.filter((level) => named.includes(level));
  return {
    levels: chosen.length > 0 ? chosen : usualLevels,
    source: query.get('source') ?? '',
    monitor: query.get('monitor') ?? '',
    machine: query.get('machine') ?? '',
    text: query.get('text') ?? '',
    since: time('since'),
    until: time('until'),
  };
}

/** The page's address with these filters. */
export function filterAddress({
  levels: chosen,
  source,
  monitor,
  machine,
  text,
  since,
  until,
}: ChosenEntries): string {
  const query = new URLSearchParams();
  const isUsual = String(chosen) === String(usualLevels);
  if (chosen.length > 0 && !isUsual) query.set('levels', chosen.join(','));
  if (source) query.set('source', source);
  if (monitor) query.set('monitor', monitor);
  if (machine) query.set('machine', machine);
  if (text) query.set('text', text);
  if (since !== undefined) query.set('since', String(since));
  if (until !== undefined) query.set('until', String(until));
  return query.size === 0 ? '/logs' : `/logs?${query}`;
}

/** The parameters of `/api/log/query` and, without the text, of `/api/logs`. */
export function filterQuery(filter: ChosenEntries): URLSearchParams {
  const query = new URLSearchParams();
  query.set('levels', filter.levels.join(','));
  if (filter.source) query.set('sources', filter.source);
  if (filter.monitor) query.set('monitors', filter.monitor);
  if (filter.machine) query.set('machines', filter.machine);
  return query;
}

/** As the recorder searches: case matters. */
export function hasText({ text }: ChosenEntries, { msg }: LogEntry): boolean {
  return msg.includes(text);
}
