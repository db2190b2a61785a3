import { type Static, Type } from 'typebox';
import { LogEntry, type LogLevel } from '../../../bus/messages.ts';

/** The machine from whose streams something was read. */
export interface OfMachine {
  readonly machine: string;
}

/** An entry, and the machine that logged it. */
export const MachineEntry = Type.Object({
  ...LogEntry.properties,
  machine: Type.String({ description: 'The machine that logged it' }),
});
export type MachineEntry = Static<typeof MachineEntry>;

/** An entry as the API has it: exactly SentryShot's fields, and its machine where there are several. */
export const PublicEntry = Type.Object({
  ...LogEntry.properties,
  machine: Type.Optional(Type.String({ description: 'In a cluster: the machine that logged it' })),
});
export type PublicEntry = Static<typeof PublicEntry>;

/** Conditions on entries: all must hold; of a list, any item. An empty list is no condition. */
export interface LogFilter {
  readonly levels?: readonly LogLevel[];
  readonly sources?: readonly string[];
  /** Entries without a monitor match no list of monitors. */
  readonly monitors?: readonly string[];
  /** The machines that logged it. */
  readonly machines?: readonly string[];
  /** A part of the message, case-sensitive. Empty is no condition. */
  readonly text?: string;
  /** Only entries strictly older than this: Unix time in microseconds. */
  readonly time?: number;
  /** Only entries strictly newer than this: Unix time in microseconds. */
  readonly after?: number;
  /** Maximum number of entries, 100 by default. */
  readonly limit?: number;
}

export const defaultLimit = 100;

/** Whether an entry meets the conditions; `limit` is ignored. One without a machine meets no list of them. */
export function matchesFilter(filter: LogFilter, entry: LogEntry & Partial<OfMachine>): boolean {
  const { levels, sources, monitors, machines, text = '', time, after } = filter;
  return (
    includes(levels, entry.level) &&
    includes(sources, entry.src) &&
    includes(monitors, entry.monitorID) &&
    includes(machines, entry.machine ?? '') &&
    entry.msg.includes(text) &&
    (time === undefined || entry.time < time) &&
    (after === undefined || entry.time > after)
  );
}

function includes<T extends string>(list: readonly T[] | undefined, item: T): boolean {
  if (!list || list.length === 0) return true;
  return item !== '' && list.includes(item);
}

/** The conditions on entries of one machine in SQL, as a text with placeholders and the values to bind, in their order. */
export function filterSql(filter: LogFilter): { where: string; values: (string | bigint)[] } {
  const conditions: string[] = [];
  const values: (string | bigint)[] = [];
  const bind = (value: string | bigint) => `$${values.push(value)}`;
  const oneOf = (column: string, list: readonly string[] | undefined) => {
    if (!list || list.length === 0) return;
    const places = list.filter((item) => item !== '').map(bind);
    conditions.push(places.length > 0 ? `${column} IN (${places.join(', ')})` : 'false');
  };
  oneOf('level', filter.levels);
  oneOf('src', filter.sources);
  oneOf('monitorID', filter.monitors);
  if (filter.text) conditions.push(`contains(msg, ${bind(filter.text)})`);
  if (filter.time !== undefined) conditions.push(`time < ${bind(BigInt(filter.time))}`);
  if (filter.after !== undefined) conditions.push(`time > ${bind(BigInt(filter.after))}`);
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', values };
}
