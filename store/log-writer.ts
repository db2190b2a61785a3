import { setTimeout as sleep } from 'node:timers/promises';
import { BIGINT, type DuckDBAppender, type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { LogEntry } from '../bus/messages.ts';
import type { Position } from './position.ts';
import type { StoredEvent } from './rows.ts';
import { begin, rollBack } from './transaction.ts';
import type { Turns } from './turns.ts';

type PositionTable = 'position' | 'eventPosition';

const attempts = 10;
const pause = 500;

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
      if (entries.length > 0) await this.#fill('log', (appender) => appendEntries(appender, entries));
    });
    if (entries.length > 0) this.#stored(entries);
  }

  /** Adds events and the position behind them: both or nothing. */
  appendEvents(events: readonly StoredEvent[], position: Position): Promise<void> {
    return this.#store('eventPosition', position, async () => {
      if (events.length > 0) await this.#fill('event', (appender) => appendEvents(appender, events));
    });
  }

  async #fill(table: string, append: (appender: DuckDBAppender) => void): Promise<void> {
    const appender = await this.#connection.createAppender(table);
    try {
      append(appender);
      appender.closeSync();
    } catch (error) {
      // What it still holds would be stored when it is collected as garbage: at any time, in no transaction.
      appender.clear();
      throw error;
    }
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
      await begin(this.#connection);
      let committing = false;
      try {
        await appendRows();
        const { stream, sequence, time, readAt } = position;
        await this.#connection.run(
          `UPDATE ${table} SET stream = $1, sequence = $2, time = $3, readAt = $4`,
          [stream, BigInt(sequence), BigInt(time), BigInt(readAt)],
          [VARCHAR, BIGINT, BIGINT, BIGINT],
        );
        committing = true;
        await this.#connection.run('COMMIT');
      } catch (error) {
        await rollBack(this.#connection);
        // What fails behind the commit itself, such as tidying the file up, looks as if the commit had failed.
        if (committing && (await this.#holds(table, position))) return;
        throw error;
      }
    });
  }

  /** Whether this position has been stored, asked until there is an answer. */
  async #holds(table: PositionTable, { stream, sequence }: Position): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const stored = await this.#position(table);
        return stored.stream === stream && stored.sequence === sequence;
      } catch (error) {
        if (attempt === attempts) throw error;
        await sleep(pause);
      }
    }
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
}

/** As an integer of 32 bits: one that does not fit must not keep the events behind it from being stored. */
const bounded = (value: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
