import { BIGINT, type DuckDBAppender, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { LogEntry } from '../bus/messages.ts';
import type { Position } from './position.ts';
import type { StoredEvent } from './rows.ts';
import type { Turns } from './turns.ts';

type PositionTable = 'position' | 'eventPosition';

/** Adds rows, each batch together with how far its stream has been read. */
export class LogWriter {
  readonly #connection: DuckDBConnection;
  readonly #turns: Turns;
  readonly #stored: (entries: readonly LogEntry[]) => void;

  /**
   * @param turns of everything that writes on this connection.
   * @param stored is called with entries that have been stored; there are some.
   */
  constructor(connection: DuckDBConnection, turns: Turns, stored: (entries: readonly LogEntry[]) => void) {
    this.#connection = connection;
    this.#turns = turns;
    this.#stored = stored;
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
  async append(entries: readonly LogEntry[], position: Position): Promise<void> {
    await this.#store('position', position, async () => {
      if (entries.length > 0) appendEntries(await this.#connection.createAppender('log'), entries);
    });
    if (entries.length > 0) this.#stored(entries);
  }

  /** Adds events and the position behind them: both or nothing. */
  appendEvents(events: readonly StoredEvent[], position: Position): Promise<void> {
    return this.#store('eventPosition', position, async () => {
      if (events.length > 0) appendEvents(await this.#connection.createAppender('event'), events);
    });
  }

  async #position(table: PositionTable): Promise<Position> {
    const found = await this.#connection.runAndReadAll(`SELECT stream, sequence, time, readAt FROM ${table}`);
    const [stream, sequence, time, readAt] = found.getRows()[0] ?? [];
    return {
      stream: String(stream),
      sequence: Number(sequence),
      time: Number(time),
      readAt: Number(readAt),
    };
  }

  #store(table: PositionTable, position: Position, appendRows: () => Promise<void>): Promise<void> {
    return this.#turns.run(async () => {
      await this.#connection.run('BEGIN');
      try {
        await appendRows();
        const { stream, sequence, time, readAt } = position;
        await this.#connection.run(
          `UPDATE ${table} SET stream = $1, sequence = $2, time = $3, readAt = $4`,
          [stream, BigInt(sequence), BigInt(time), BigInt(readAt)],
          [VARCHAR, BIGINT, BIGINT, BIGINT],
        );
        await this.#connection.run('COMMIT');
      } catch (error) {
        await this.#connection.run('ROLLBACK').catch(() => {});
        throw error;
      }
    });
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
