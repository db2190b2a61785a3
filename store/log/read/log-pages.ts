import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { LogEntry, LogLevel } from '../../../bus/messages.ts';
import { defaultLimit, filterSql, type LogFilter, type MachineEntry, type OfMachine } from './log-filter.ts';
import { inSnapshot, rangesByCount, rangesByText } from './scan-ranges.ts';

/** Reads the log of one machine page by page. */
export class LogPages {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Mutex();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** The matching entries, newest first (or oldest first), up to the filter's limit. */
  read(filter: LogFilter, oldestFirst: boolean): Promise<LogEntry[]> {
    const limit = filter.limit ?? defaultLimit;
    return this.#turns.runExclusive(() =>
      inSnapshot(this.#connection, async () => {
        const found: LogEntry[] = [];
        const windows = filter.text
          ? rangesByText(this.#connection, filter, oldestFirst)
          : rangesByCount(this.#connection, filter, limit, oldestFirst);
        for await (const window of windows) {
          const part = { ...filter, ...window, limit: limit - found.length };
          found.push(...(await this.#scan(part, oldestFirst)));
          if (found.length >= limit) break;
        }
        return found;
      }),
    );
  }

  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }

  async #scan(filter: LogFilter & { limit: number }, oldestFirst: boolean): Promise<LogEntry[]> {
    const { where, values } = filterSql(filter);
    const found = await this.#connection.runAndReadAll(
      `SELECT level, time, msg, src, monitorID FROM log ${where}
        ORDER BY time ${oldestFirst ? 'ASC' : 'DESC'} LIMIT ${filter.limit}`,
      values,
      values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR)),
    );
    return found.getRows().map(([level, time, msg, src, monitorID]) => ({
      level: level as LogLevel,
      time: Number(time),
      msg: String(msg),
      src: String(src),
      monitorID: String(monitorID),
    }));
  }
}

/** A page of the logs of these machines, in the order of time and machine; see {@link firstOf}. */
export async function pageOfMachines(
  machines: readonly (readonly [machine: string, pages: LogPages])[],
  filter: LogFilter,
  oldestFirst: boolean,
): Promise<MachineEntry[]> {
  const found = await Promise.all(
    machines.map(async ([machine, pages]) =>
      (await pages.read(filter, oldestFirst)).map((entry) => ({ ...entry, machine })),
    ),
  );
  return firstOf(found.flat(), filter.limit ?? defaultLimit, oldestFirst, ({ time }) => time);
}

/**
 * Those that come first, and others of the same time as the last of them: within a machine times differ, across machines they
 * need not, and the next page begins after a time.
 */
export function firstOf<T extends OfMachine>(
  found: readonly T[],
  limit: number,
  oldestFirst: boolean,
  timeOf: (one: T) => number,
): T[] {
  const sign = oldestFirst ? 1 : -1;
  const byMachine = (a: T, b: T) => (a.machine < b.machine ? -1 : Number(a.machine > b.machine));
  const sorted = [...found].sort((a, b) => sign * (timeOf(a) - timeOf(b)) || byMachine(a, b));
  const last = sorted[limit - 1];
  if (!last) return sorted;
  const rest = sorted.slice(limit);
  const ties = rest.findIndex((one) => timeOf(one) !== timeOf(last));
  return sorted.slice(0, ties < 0 ? sorted.length : limit + ties);
}
