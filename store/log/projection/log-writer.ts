import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { LogEntry } from '../../../bus/messages.ts';
import { fillTable } from '../schema/fill-table.ts';
import type { Position } from './position.ts';
import type { Positions } from './positions.ts';
import type { EventMoves } from './recorded-events/event-moves.ts';
import type { StoredEvent } from './rows.ts';

/** Adds rows, each batch together with how far its stream has been read. */
export class LogWriter {
  readonly #connection: DuckDBConnection;
  readonly #positions: Positions;
  readonly #moves: EventMoves;
  readonly #stored: (entries: readonly LogEntry[]) => void;

  /** @param moves which events make that come late. @param stored is called with entries that have been stored; there are some. */
  constructor(
    connection: DuckDBConnection,
    positions: Positions,
    moves: EventMoves,
    stored: (entries: readonly LogEntry[]) => void,
  ) {
    this.#connection = connection;
    this.#positions = positions;
    this.#moves = moves;
    this.#stored = stored;
  }

  /** Adds entries and the position after them: both or nothing. */
  async append(entries: readonly LogEntry[], position: Position): Promise<void> {
    await this.#positions.store('LOGS', position, async () => {
      if (entries.length > 0)
        await fillTable(this.#connection, 'log', (appender) => appendEntries(appender, entries));
    });
    if (entries.length > 0) this.#stored(entries);
  }

  /** Adds events and the position after them: both or nothing. */
  appendEvents(events: readonly StoredEvent[], position: Position): Promise<void> {
    return this.#positions.store('EVENTS', position, async () => {
      if (events.length === 0) return;
      const moved = await this.#moves.applyTo(events);
      await fillTable(this.#connection, 'event', (appender) => appendEvents(appender, moved));
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
}

function appendEvents(appender: DuckDBAppender, events: readonly StoredEvent[]): void {
  const integer = (value: number | undefined) =>
    value === undefined ? appender.appendNull() : appender.appendInteger(bounded(value));
  for (const { id, time, storedAt, startedUs, monitorID, monitorName, source, detections } of events) {
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
      if (startedUs === undefined) appender.appendNull();
      else appender.appendBigInt(BigInt(startedUs));
      appender.endRow();
    }
  }
}

/** As an integer of 32 bits: one that does not fit must not keep the events behind it from being stored. */
const bounded = (value: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
