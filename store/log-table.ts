import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BIGINT, type DuckDBConnection, DuckDBInstance, VARCHAR } from '@duckdb/node-api';
import type { LogEntry, LogLevel } from '../bus/messages.ts';
import { ensureFolder } from './files.ts';
import { defaultLimit, filterSql, type LogFilter } from './log-filter.ts';
import { Turns } from './turns.ts';

/** How far the log stream has been read. */
export interface Position {
  /** When the stream was made, which tells it from another one; empty before the first. */
  readonly stream: string;
  /** The place of the last entry in the stream. */
  readonly sequence: number;
  /** The time of the last entry. */
  readonly time: number;
  /** When it was read, Unix microseconds by this machine's clock. */
  readonly readAt: number;
}

// No index: it would cost more memory than there is, and times are in order anyway.
const schema = `
CREATE TABLE IF NOT EXISTS log (
  time BIGINT NOT NULL,
  level VARCHAR NOT NULL,
  src VARCHAR NOT NULL,
  monitorID VARCHAR NOT NULL,
  msg VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS position (
  stream VARCHAR NOT NULL,
  sequence BIGINT NOT NULL,
  time BIGINT NOT NULL,
  readAt BIGINT NOT NULL
);
INSERT INTO position SELECT '', 0, 0, 0 WHERE NOT EXISTS (FROM position);
`;

const options = {
  threads: '2',
  memory_limit: '256MB',
  // The recorder fetches nothing from the network, extensions included.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** Failures of the machine, not of the file: moving the file away would help nobody. */
const machineTrouble =
  /could not set lock|permission denied|no space left|too many open files|out of memory/i;

/** The log in DuckDB. One at a time for a file; its calls may overlap. */
export class LogTable {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #reader: DuckDBConnection;
  readonly #writes = new Turns();
  readonly #reads = new Turns();
  #closed = false;

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, reader: DuckDBConnection) {
    this.#instance = instance;
    this.#writer = writer;
    this.#reader = reader;
  }

  /**
   * Opens the file, or makes it. One that DuckDB cannot read is renamed to `<file>.broken` and a new one begun.
   *
   * @returns `broken` says why the old file was moved aside, if it was.
   */
  static async open(file: string): Promise<{ table: LogTable; broken?: string }> {
    await ensureFolder(dirname(file));
    try {
      return { table: await LogTable.#open(file) };
    } catch (error) {
      const broken = (error as Error).message.split('\n', 1)[0] ?? '';
      if (!existsSync(file) || machineTrouble.test(broken)) throw error;
      await rename(file, `${file}.broken`);
      // The write-ahead log belongs to that file and would be played into the new one.
      await rm(`${file}.wal`, { force: true });
      return { table: await LogTable.#open(file), broken };
    }
  }

  static async #open(file: string): Promise<LogTable> {
    const instance = await DuckDBInstance.create(file, options);
    try {
      const writer = await instance.connect();
      await writer.run(schema);
      const table = new LogTable(instance, writer, await instance.connect());
      // A table of another shape must show now, when the file can still be replaced.
      await table.position();
      await table.read({ limit: 1 }, false);
      return table;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  async position(): Promise<Position> {
    const found = await this.#writer.runAndReadAll('SELECT stream, sequence, time, readAt FROM position');
    const [stream, sequence, time, readAt] = found.getRows()[0] ?? [];
    return {
      stream: String(stream),
      sequence: Number(sequence),
      time: Number(time),
      readAt: Number(readAt),
    };
  }

  /** Adds entries and the position behind them: both or nothing. */
  append(entries: readonly LogEntry[], position: Position): Promise<void> {
    return this.#inTurn(this.#writes, async () => {
      await this.#writer.run('BEGIN');
      try {
        if (entries.length > 0) await this.#appendRows(entries);
        const { stream, sequence, time, readAt } = position;
        await this.#writer.run(
          'UPDATE position SET stream = $1, sequence = $2, time = $3, readAt = $4',
          [stream, BigInt(sequence), BigInt(time), BigInt(readAt)],
          [VARCHAR, BIGINT, BIGINT, BIGINT],
        );
        await this.#writer.run('COMMIT');
      } catch (error) {
        await this.#writer.run('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  async #appendRows(entries: readonly LogEntry[]): Promise<void> {
    const appender = await this.#writer.createAppender('log');
    for (const { time, level, src, monitorID, msg } of entries) {
      appender.appendBigInt(BigInt(time));
      appender.appendVarchar(level);
      appender.appendVarchar(src);
      appender.appendVarchar(monitorID);
      appender.appendVarchar(msg);
      appender.endRow();
    }
    appender.closeSync();
  }

  /** The newest (or the oldest) entries that match, in that order. */
  read(filter: LogFilter, oldestFirst: boolean): Promise<LogEntry[]> {
    return this.#inTurn(this.#reads, async () => {
      const { where, values } = filterSql(filter);
      const limit = `$${values.push(BigInt(filter.limit ?? defaultLimit))}`;
      const order = oldestFirst ? 'ASC' : 'DESC';
      const found = await this.#reader.runAndReadAll(
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

  /**
   * Deletes entries that are older than `oldest` (Unix microseconds), then the oldest ones until the rest takes
   * at most `maxBytes`. The file does not shrink, its space is used again.
   */
  prune(oldest: number, maxBytes: number): Promise<void> {
    return this.#inTurn(this.#writes, async () => {
      await this.#delete('DELETE FROM log WHERE time < $1', oldest);
      // Each round drops a tenth; what is left after ten is dropped in the next hour.
      for (let round = 0; round < 10 && (await this.#size()) > maxBytes; round += 1) {
        const count = await this.#number('SELECT count(*) FROM log');
        if (count === 0) return;
        const tenth = `SELECT max(time) FROM (SELECT time FROM log ORDER BY time LIMIT ${Math.ceil(count / 10)})`;
        await this.#delete('DELETE FROM log WHERE time <= $1', await this.#number(tenth));
      }
    });
  }

  /**
   * Waits for what was begun, then closes the file, tidied up. Safe to call twice.
   *
   * A thread must not end before that: DuckDB's binding aborts the whole process when one of its calls returns
   * to a thread that is gone.
   */
  close(): Promise<void> {
    return this.#reads.run(() =>
      this.#writes.run(async () => {
        if (this.#closed) return;
        this.#closed = true;
        await this.#writer.run('CHECKPOINT').catch(() => {});
        this.#reader.closeSync();
        this.#writer.closeSync();
        this.#instance.closeSync();
      }),
    );
  }

  #inTurn<T>(turns: Turns, task: () => Promise<T>): Promise<T> {
    return turns.run(async () => {
      if (this.#closed) throw new Error('the database is closed');
      return task();
    });
  }

  async #delete(sql: string, time: number): Promise<void> {
    await this.#writer.run(sql, [BigInt(time)], [BIGINT]);
    await this.#writer.run('CHECKPOINT');
  }

  async #size(): Promise<number> {
    return this.#number('SELECT used_blocks * block_size FROM pragma_database_size()');
  }

  async #number(sql: string): Promise<number> {
    return Number((await this.#writer.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
  }
}
