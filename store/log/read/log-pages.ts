import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { LogEntry, LogLevel } from '../../../bus/messages.ts';
import { defaultLimit, filterSql, type LogFilter } from './log-filter.ts';
import { inSnapshot, rangesByCount, rangesByText } from './scan-ranges.ts';

/** Reads the log page by page. */
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
