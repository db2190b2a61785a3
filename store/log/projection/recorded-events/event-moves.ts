import type { DuckDBConnection } from '@duckdb/node-api';
import { fillTable } from '../../schema/fill-table.ts';

/** What an event says of its clock is less by what detection took; clocks that are told apart differ by ten seconds. Microseconds. */
export const [detectionUs, sameClockUs] = [10_000_000, 2_000_000];
/**
 * A clock that was set, events have at once, and a recording from the next key frame on, which some cameras send once a minute. Either may notice
 * it a little later than the other. So long before and after a recording of a wrong clock there may be events of that clock, in microseconds.
 */
export const [beforeUs, afterUs] = [60_000_000, 5_000_000];

/** A recording of a wrong clock got its true times, and its events with it: Unix times and differences in microseconds. */
export interface EventMove {
  readonly monitorID: string;
  /** Its true times: the retention goes by them. */
  readonly time: number;
  readonly endTime: number;
  /** From the times by the wrong clock. */
  readonly shiftUs: number;
  /** When the machine was started, by the wrong clock, and what is added for the right one. */
  readonly formerUs: number;
  readonly stepUs: number;
}

/** What of an event is moved. */
interface Movable {
  readonly monitorID: string;
  readonly time: number;
  readonly startedUs?: number;
}

/** Of more, the oldest are not kept in memory: they have met their events long ago. */
const maxOfMonitor = 1000;

/**
 * The moves of a machine's events, in their order. Events and recordings are two streams, and events that are read after a move have
 * to move as those did that were there before: otherwise a machine that was cut off would list another time than the rest.
 */
export class EventMoves {
  readonly #connection: DuckDBConnection;
  /** By monitor; undefined until they are read. */
  #moves: Map<string, EventMove[]> | undefined;

  /** @param connection the one that writes. */
  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Within a transaction; if it fails, `forget` is to be called. */
  async add(move: EventMove): Promise<void> {
    remember(await this.#read(), move);
    await fillTable(this.#connection, 'eventMove', (appender) => {
      const { monitorID, ...numbers } = move;
      appender.appendVarchar(monitorID);
      for (const key of ['time', 'endTime', 'shiftUs', 'formerUs', 'stepUs'] as const)
        appender.appendBigInt(BigInt(numbers[key]));
      appender.endRow();
    });
  }

  /** Within a transaction. @returns the events with the times that they have after all moves so far. */
  async applyTo<Event extends Movable>(events: readonly Event[]): Promise<readonly Event[]> {
    const moves = await this.#read();
    if (moves.size === 0) return events;
    return events.map((event) => (moves.get(event.monitorID) ?? []).reduce<Event>(moved, event));
  }

  /** They are read again. */
  forget(): void {
    this.#moves = undefined;
  }

  async #read(): Promise<Map<string, EventMove[]>> {
    if (this.#moves) return this.#moves;
    const found = await this.#connection.runAndReadAll(
      'SELECT monitorID, time, endTime, shiftUs, formerUs, stepUs FROM eventMove ORDER BY rowid',
    );
    const moves = new Map<string, EventMove[]>();
    for (const [monitorID, ...values] of found.getRows()) {
      const [time = 0, endTime = 0, shiftUs = 0, formerUs = 0, stepUs = 0] = values.map(Number);
      remember(moves, { monitorID: String(monitorID), time, endTime, shiftUs, formerUs, stepUs });
    }
    this.#moves = moves;
    return moves;
  }
}

function remember(moves: Map<string, EventMove[]>, move: EventMove): void {
  const own = moves.get(move.monitorID) ?? [];
  moves.set(move.monitorID, own);
  own.push(move);
  if (own.length > maxOfMonitor) own.shift();
}

/** As `RecordingEvents.move` does it with those that are there. */
function moved<Event extends Movable>(
  event: Event,
  { time, endTime, shiftUs, formerUs, stepUs }: EventMove,
): Event {
  const { startedUs } = event;
  if (startedUs === undefined || startedUs < formerUs - detectionUs || startedUs > formerUs + sameClockUs)
    return event;
  const at = event.time + shiftUs;
  if (at < time - beforeUs || at >= endTime + afterUs) return event;
  return { ...event, time: at, startedUs: startedUs + stepUs };
}
