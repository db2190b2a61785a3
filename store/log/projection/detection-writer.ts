import { BIGINT, type DuckDBConnection, type DuckDBValue, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { fillTable } from '../schema/fill-table.ts';
import { notRunning } from '../schema/schema.ts';
import { inTransaction } from '../schema/transaction.ts';
import type { Position } from './position.ts';
import type { Positions } from './positions.ts';
import type { StoredObject, StoredReport, StoredStatus, StoredTenure } from './rows.ts';
import { memoryOf, type StateChange, type StateMemory, stateChanges } from './state-changes.ts';

/** Adds what is known about events, objects and monitors, each batch together with how far its stream has been read. */
export class DetectionWriter {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;
  readonly #positions: Positions;
  /** What is to be noted of whether the machine is heard. */
  #pendingHearing: { readonly silentSince: number | undefined; readonly isAnew: boolean } | undefined;
  /** Of each monitor, once its latest state has been read. */
  #states: ReadonlyMap<string, StateMemory> | undefined;

  /** @param mutex of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex, positions: Positions) {
    this.#connection = connection;
    this.#mutex = mutex;
    this.#positions = positions;
  }

  /**
   * @param began when the recorder began; a thread that was started again passes the same. Unix microseconds.
   * @returns when the recorder before it was last known to run, in Unix microseconds; undefined if only the thread was started again.
   */
  async lastRun(began: number): Promise<number | undefined> {
    // What was stored last may be newer than the note of each minute, but not by more, unless the clock was wrong then.
    const found = await this.#connection.runAndReadAll(`
      SELECT began, least(greatest(time, (SELECT max(readAt) FROM position)), time + 60000000) FROM alive`);
    const [before, until = 0] = (found.getRows()[0] ?? []).map(Number);
    return before === began ? undefined : until;
  }

  /** Notes that the recorder runs. What was going on when the one before it was last known to run, ended then. See {@link lastRun}. */
  recordStart(began: number): Promise<void> {
    return this.#mutex.runExclusive(() =>
      inTransaction(this.#connection, async () => {
        const until = await this.lastRun(began);
        if (until === undefined) return;
        const run = (sql: string, time: number) => this.#connection.run(sql, [BigInt(time)], [BIGINT]);
        await run(
          `INSERT INTO state
          SELECT greatest($1, last.time + 1), monitorID, 'stopped', '${notRunning}'
          FROM (SELECT monitorID, max(time) AS time, arg_max(state, time) AS state FROM state GROUP BY ALL) last
          WHERE state NOT IN ('stopped', 'disabled')`,
          until,
        );
        await run('UPDATE presence SET endTime = greatest(time, $1) WHERE endTime IS NULL', until);
        await run('UPDATE alive SET began = $1, time = greatest(time, $1)', began);
      }),
    );
  }

  /** Of each monitor that a recorder left running when it was killed, the last time; the newest of them, oldest first. */
  async lastKills(limit: number): Promise<readonly StateChange[]> {
    const found = await this.#connection.runAndReadAll(
      `SELECT monitorID, max(time) AS time, 'stopped', '${notRunning}' FROM state
      WHERE reason = '${notRunning}' GROUP BY monitorID ORDER BY time DESC LIMIT ${limit}`,
    );
    return found.getRows().map(stateChange).reverse();
  }

  /**
   * Notes that another machine is not heard; as long as that is known, a later time changes nothing. What cannot be noted, on a full
   * disk for example, {@link noteHearing} tries again.
   *
   * @param since Unix microseconds.
   */
  async silent(since: number): Promise<void> {
    const pending = this.#pendingHearing;
    // One that was heard in between is silent since now.
    if (pending?.silentSince === undefined)
      this.#pendingHearing = { silentSince: since, isAnew: pending !== undefined };
    await this.noteHearing();
  }

  /** Notes that it is heard again: what it has done meanwhile, it publishes itself. See {@link silent}. */
  async heard(): Promise<void> {
    this.#pendingHearing = { silentSince: undefined, isAnew: true };
    await this.noteHearing();
  }

  /** Notes what could not be noted before. */
  async noteHearing(): Promise<void> {
    await this.#mutex
      .runExclusive(async () => {
        const pending = this.#pendingHearing;
        if (!pending) return;
        const { silentSince, isAnew } = pending;
        await inTransaction(this.#connection, async () => {
          if (isAnew) await this.#connection.run('DELETE FROM silence');
          if (silentSince === undefined) return;
          const sql = 'INSERT INTO silence SELECT $1 WHERE NOT EXISTS (FROM silence)';
          await this.#connection.run(sql, [BigInt(silentSince)], [BIGINT]);
        });
        if (pending === this.#pendingHearing) this.#pendingHearing = undefined;
      })
      // It stays pending.
      .catch(() => {});
  }

  /** Notes that the recorder still runs. @param time Unix microseconds. */
  heartbeat(time: number): Promise<void> {
    return this.#mutex.runExclusive(() =>
      inTransaction(this.#connection, async () => {
        // No UPDATE, see `Positions`.
        const found = await this.#connection.runAndReadAll('SELECT began FROM alive');
        const [began = 0n] = found.getRows()[0] ?? [];
        await this.#connection.run('DELETE FROM alive');
        await this.#connection.run('INSERT INTO alive (began, time) VALUES ($1, $2)', [began, BigInt(time)]);
      }),
    );
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

  appendTenures(tenures: readonly StoredTenure[], position: Position): Promise<void> {
    return this.#positions.store('TENURES', position, async () => {
      if (tenures.length === 0) return;
      await fillTable(this.#connection, 'tenure', (appender) => {
        for (const { time, monitorID, rank } of tenures) {
          appender.appendBigInt(BigInt(time));
          appender.appendVarchar(monitorID);
          appender.appendBigInt(BigInt(rank));
          appender.endRow();
        }
      });
    });
  }

  /** Of the monitors' statuses, only changes are kept. */
  async appendStates(statuses: readonly StoredStatus[], position: Position): Promise<void> {
    this.#states ??= await this.#latestStates();
    const { changes, kills, memories } = stateChanges(this.#states, statuses);
    await this.#positions.store('HISTORY', position, async () => {
      const news = [...(await this.#unknown(kills)), ...changes];
      if (news.length === 0) return;
      await fillTable(this.#connection, 'state', (appender) => {
        for (const { time, monitorID, state, reason } of news) {
          appender.appendBigInt(BigInt(time));
          appender.appendVarchar(monitorID);
          appender.appendVarchar(state);
          appender.appendVarchar(reason);
          appender.endRow();
        }
      });
    });
    this.#states = memories;
  }

  /** Those that are not in the table: a machine stores what it publishes of itself, and publishes it again. */
  async #unknown(changes: readonly StateChange[]): Promise<readonly StateChange[]> {
    const unknown: StateChange[] = [];
    for (const change of changes) {
      const found = await this.#connection.runAndReadAll(
        'SELECT 1 FROM state WHERE monitorID = $1 AND time = $2',
        [change.monitorID, BigInt(change.time)],
        [VARCHAR, BIGINT],
      );
      if (found.getRows().length === 0) unknown.push(change);
    }
    return unknown;
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

  async #latestStates(): Promise<ReadonlyMap<string, StateMemory>> {
    const found = await this.#connection.runAndReadAll(
      'SELECT monitorID, max(time), arg_max(state, time), arg_max(reason, time) FROM state GROUP BY monitorID',
    );
    const changes = found.getRows().map(stateChange);
    return new Map(changes.map((change) => [change.monitorID, memoryOf(change)]));
  }
}

function stateChange([monitorID, time, state, reason]: readonly DuckDBValue[]): StateChange {
  return {
    ...{ time: Number(time), monitorID: String(monitorID) },
    ...{ state: String(state), reason: String(reason) },
  };
}
