import { BIGINT, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { LogEntry, LogLevel } from '../bus/messages.ts';
import { defaultLimit, filterSql, type LogFilter } from './log-filter.ts';
import { Turns } from './turns.ts';

/** Reads the log page by page. */
export class LogPages {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Turns();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** The newest (or the oldest) entries that match, in that order. */
  read(filter: LogFilter, oldestFirst: boolean): Promise<LogEntry[]> {
    return this.#turns.run(async () => {
      const { where, values } = filterSql(filter);
      const limit = `$${values.push(BigInt(filter.limit ?? defaultLimit))}`;
      const order = oldestFirst ? 'ASC' : 'DESC';
      const found = await this.#connection.runAndReadAll(
        `SELECT level, time, msg, src, monitorID FROM log ${where} ORDER BY time ${order} LIMIT ${limit}`,
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
    });
  }

  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }
}
