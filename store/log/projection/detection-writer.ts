import { BIGINT, type DuckDBConnection, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { fillTable } from '../schema/fill-table.ts';
import type { Position } from './position.ts';
import type { Positions } from './positions.ts';
import type { StoredObject, StoredReport, StoredTenure } from './rows.ts';

/** Adds what is known about events, objects and who records what, each batch together with how far its stream has been read. */
export class DetectionWriter {
  readonly #connection: DuckDBConnection;
  readonly #positions: Positions;

  constructor(connection: DuckDBConnection, positions: Positions) {
    this.#connection = connection;
    this.#positions = positions;
  }

  appendDeliveries(reports: readonly StoredReport[], position: Position): Promise<void> {
    return this.#positions.store('DELIVERIES', position, async () => {
      const rows = reports.flatMap(({ deliveries }) => deliveries);
      if (rows.length === 0) return;
      await fillTable(this.#connection, 'delivery', (appender) => {
        for (const { id, time, storedAt, deliveredAt, monitorID, source } of rows) {
          appender.appendVarchar(id);
          appender.appendBigInt(BigInt(time));
          appender.appendBigInt(BigInt(storedAt));
          appender.appendBigInt(BigInt(deliveredAt));
          appender.appendVarchar(monitorID);
          appender.appendVarchar(source);
          appender.endRow();
        }
      });
    });
  }

  /** Those that are there are few, and kept apart until they are gone. */
  appendObjects(objects: readonly StoredObject[], position: Position): Promise<void> {
    return this.#positions.store('OBJECTS', position, async () => {
      const gone = new Map(objects.filter(({ endTime }) => endTime !== null).map((one) => [one.id, one]));
      const there = objects.filter(({ id, endTime }) => endTime === null && !gone.has(id));
      await this.#appendLives('presence', there);
      if (gone.size === 0) return;
      await this.#appendLives('object', [...gone.values()]);
      await this.#connection.run(
        'DELETE FROM presence WHERE id IN (SELECT unnest($1))',
        [listValue([...gone.keys()])],
        [LIST(VARCHAR)],
      );
    });
  }

  /** What has a time after a newer one's was said by a clock that was ahead: it is no longer true. */
  appendTenures(tenures: readonly StoredTenure[], position: Position): Promise<void> {
    return this.#positions.store('TENURES', position, async () => {
      if (tenures.length === 0) return;
      const first = new Map<string, number>();
      const lasting: StoredTenure[] = [];
      for (const tenure of tenures.toReversed()) {
        const { monitorID, time } = tenure;
        if (time >= (first.get(monitorID) ?? Number.POSITIVE_INFINITY)) continue;
        first.set(monitorID, time);
        lasting.unshift(tenure);
      }
      await this.#connection.run(
        `DELETE FROM tenure USING (SELECT unnest($1) AS monitorID, unnest($2) AS time) news
          WHERE tenure.monitorID = news.monitorID AND tenure.time >= news.time`,
        [listValue([...first.keys()]), listValue([...first.values()].map(BigInt))],
        [LIST(VARCHAR), LIST(BIGINT)],
      );
      await fillTable(this.#connection, 'tenure', (appender) => {
        for (const { time, monitorID, rank } of lasting) {
          appender.appendBigInt(BigInt(time));
          appender.appendVarchar(monitorID);
          appender.appendBigInt(BigInt(rank));
          appender.endRow();
        }
      });
    });
  }

  async #appendLives(table: 'object' | 'presence', objects: readonly StoredObject[]): Promise<void> {
    if (objects.length === 0) return;
    await fillTable(this.#connection, table, (appender) => {
      for (const { id, time, endTime, monitorID, label, score, eventID } of objects) {
        appender.appendVarchar(id);
        appender.appendBigInt(BigInt(time));
        if (endTime === null) appender.appendNull();
        else appender.appendBigInt(BigInt(endTime));
        appender.appendVarchar(monitorID);
        appender.appendVarchar(label);
        appender.appendDouble(score);
        appender.appendVarchar(eventID);
        appender.endRow();
      }
    });
  }
}
