import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  BIGINT,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBInstance,
  VARCHAR,
} from '@duckdb/node-api';
import type { LogEntry, LogLevel } from '../bus/messages.ts';
import { ensureFolder } from './files.ts';
import { defaultLimit, filterSql, type LogFilter } from './log-filter.ts';
import { LogStats } from './log-stats.ts';
import type { Position } from './position.ts';
import type { StoredEvent } from './rows.ts';
import { schema } from './schema.ts';
import { SqlDesk } from './sql.ts';
import { Turns } from './turns.ts';

type PositionTable = 'position' | 'eventPosition';

const options = {
  threads: '2',
  memory_limit: '256MB',
  max_temp_directory_size: '256MB',
  // The recorder fetches nothing from the network, extensions included.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

// For statements that people write, but nothing of ours needs what is locked here either.
const lock = 'SET enable_external_access = false; SET lock_configuration = true;';

/** Failures of the machine, not of the file: moving the file away would help nobody. */
const machineTrouble =
  /could not set lock|permission denied|no space left|too many open files|out of memory/i;

/** The log and the events in DuckDB. One at a time for a file; its calls may overlap. */
export class LogTable {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #reader: DuckDBConnection;
  /** Answers what people ask in SQL. */
  readonly sql: SqlDesk;
  readonly stats: LogStats;
  readonly #writes = new Turns();
  readonly #reads = new Turns();
  #closed = false;

  private constructor(
    instance: DuckDBInstance,
    connections: Readonly<Record<'writer' | 'reader' | 'asker' | 'counter', DuckDBConnection>>,
  ) {
    this.#instance = instance;
    this.#writer = connections.writer;
    this.#reader = connections.reader;
    this.sql = new SqlDesk(connections.asker);
    this.stats = new LogStats(connections.counter);
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
      await writer.run(lock);
      const reader = await instance.connect();
      const asker = await instance.connect();
      const counter = await instance.connect();
      const table = new LogTable(instance, { writer, reader, asker, counter });
      // A table of another shape must show now, when the file can still be replaced.
      await Promise.all([table.position(), table.eventPosition()]);
      await table.read({ limit: 1 }, false);
      return table;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  /** How far the log's stream has been read. */
  position(): Promise<Position> {
    return this.#position('position');
  }

  /** How far the events' stream has been read. */
  eventPosition(): Promise<Position> {
    return this.#position('eventPosition');
  }

  /** Adds entries and the position behind them: both or nothing. */
  append(entries: readonly LogEntry[], position: Position): Promise<void> {
    return this.#store('position', position, async () => {
      if (entries.length > 0) appendEntries(await this.#writer.createAppender('log'), entries);
    });
  }

  /** Adds events and the position behind them: both or nothing. */
  appendEvents(events: readonly StoredEvent[], position: Position): Promise<void> {
    return this.#store('eventPosition', position, async () => {
      if (events.length > 0) appendEvents(await this.#writer.createAppender('event'), events);
    });
  }

  async #position(table: PositionTable): Promise<Position> {
    const found = await this.#writer.runAndReadAll(`SELECT stream, sequence, time, readAt FROM ${table}`);
    const [stream, sequence, time, readAt] = found.getRows()[0] ?? [];
    return {
      stream: String(stream),
      sequence: Number(sequence),
      time: Number(time),
      readAt: Number(readAt),
    };
  }

  #store(table: PositionTable, position: Position, appendRows: () => Promise<void>): Promise<void> {
    return this.#inTurn(this.#writes, async () => {
      await this.#writer.run('BEGIN');
      try {
        await appendRows();
        const { stream, sequence, time, readAt } = position;
        await this.#writer.run(
          `UPDATE ${table} SET stream = $1, sequence = $2, time = $3, readAt = $4`,
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
   * Deletes entries and events that are older than `oldest` (Unix microseconds), then the oldest entries until the
   * rest takes at most `maxBytes`. The file does not shrink, its space is used again.
   */
  prune(oldest: number, maxBytes: number): Promise<void> {
    return this.#inTurn(this.#writes, async () => {
      await this.#delete('DELETE FROM event WHERE time < $1', oldest);
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
        await Promise.all([this.sql.close(), this.stats.close()]);
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

function appendEntries(appender: DuckDBAppender, entries: readonly LogEntry[]): void {
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

function appendEvents(appender: DuckDBAppender, events: readonly StoredEvent[]): void {
  const integer = (value: number | undefined) =>
    value === undefined ? appender.appendNull() : appender.appendInteger(bounded(value));
  for (const { id, time, storedAt, monitorID, monitorName, source, detections } of events) {
    for (const { label, score, box, object } of detections) {
      appender.appendVarchar(id);
      appender.appendBigInt(BigInt(time));
      appender.appendBigInt(BigInt(storedAt));
      appender.appendVarchar(monitorID);
      appender.appendVarchar(monitorName);
      appender.appendVarchar(source);
      appender.appendVarchar(label);
      appender.appendDouble(score);
      integer(box?.x);
      integer(box?.y);
      integer(box?.width);
      integer(box?.height);
      if (object === undefined) appender.appendNull();
      else appender.appendVarchar(object);
      appender.endRow();
    }
  }
  appender.closeSync();
}

/** As an integer of 32 bits: one that does not fit must not keep the events behind it from being stored. */
const bounded = (value: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
