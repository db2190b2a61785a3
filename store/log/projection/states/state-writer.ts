import { BIGINT, type DuckDBConnection, type DuckDBValue, VARCHAR } from '@duckdb/node-api';
import { fillTable } from '../../schema/fill-table.ts';
import { notRunning } from '../../schema/schema.ts';
import type { Position } from '../position.ts';
import type { Positions } from '../positions.ts';
import type { StoredStatus } from '../rows.ts';
import { memoryOf, type StateChange, type StateMemory, stateChanges } from './state-changes.ts';

/** Adds the changes of monitors' states, each batch together with how far its stream has been read. */
export class StateWriter {
  readonly #connection: DuckDBConnection;
  readonly #positions: Positions;
  /** Of each monitor, once its latest state has been read. */
  #states: ReadonlyMap<string, StateMemory> | undefined;

  constructor(connection: DuckDBConnection, positions: Positions) {
    this.#connection = connection;
    this.#positions = positions;
  }

  /** Of the monitors' statuses, only changes are kept. */
  async append(statuses: readonly StoredStatus[], position: Position): Promise<void> {
    this.#states ??= await this.#positions.ask(() => this.#latestStates());
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

  /** Of each monitor that a recorder left running when it was killed, the last time; the newest of them, oldest first. */
  async lastKills(limit: number): Promise<readonly StateChange[]> {
    const found = await this.#positions.ask(() =>
      this.#connection.runAndReadAll(
        `SELECT monitorID, max(time) AS time, 'stopped', '${notRunning}' FROM state
        WHERE reason = '${notRunning}' GROUP BY monitorID ORDER BY time DESC LIMIT ${limit}`,
      ),
    );
    return found.getRows().map(stateChange).reverse();
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
