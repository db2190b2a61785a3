import type { LogEntry } from '../../bus/messages.ts';
import { atEnd } from '../support/cleanup.ts';

/** The log in SQLite, for comparison. */
export interface Sqlite {
  add(entries: readonly LogEntry[]): void;
  /** @param sql in DuckDB's words. */
  ask(sql: string): unknown[];
}

interface Statement {
  run(...values: unknown[]): void;
  all(): unknown[];
}
interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** @returns undefined where the package is not installed. */
export async function openSqlite(file: string): Promise<Sqlite | undefined> {
  // No dependency: to compile it takes a minute, which nobody but this benchmark should wait for.
  const name = 'better-sqlite3';
  const module = (await import(name).catch(() => undefined)) as
    | { default: new (file: string) => Database }
    | undefined;
  if (!module) return undefined;
  const database = new module.default(file);
  atEnd(async () => database.close());
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE logs (time INTEGER PRIMARY KEY, level TEXT, src TEXT, monitorID TEXT, msg TEXT)`);
  const insert = database.prepare('INSERT INTO logs VALUES (?, ?, ?, ?, ?)');
  return {
    add(entries) {
      database.exec('BEGIN');
      for (const { time, level, src, monitorID, msg } of entries)
        insert.run(time, level, src, monitorID, msg);
      database.exec('COMMIT');
    },
    ask: (sql) =>
      database
        .prepare(
          sql
            .replace(/contains\(([^)]*)\)/, 'instr($1) > 0')
            .replace(
              /strftime\(make_timestamp\(time\), ('[^']*')\)/,
              "strftime($1, time / 1000000, 'unixepoch')",
            ),
        )
        .all(),
  };
}
