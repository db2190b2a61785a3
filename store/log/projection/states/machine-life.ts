import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../../bus/base/mutex.ts';
import { notRunning } from '../../schema/schema.ts';
import { inTransaction } from '../../schema/transaction.ts';

/** Notes of when a machine's recorder ran and, of another machine, since when it is not heard: what was going on ended then. */
export class MachineLife {
  readonly #connection: DuckDBConnection;
  readonly #mutex: Mutex;
  /** What is to be noted of whether the machine is heard. */
  #pendingHearing: { readonly silentSince: number | undefined; readonly isAnew: boolean } | undefined;

  /** @param mutex of everything that writes on this connection. */
  constructor(connection: DuckDBConnection, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  /**
   * @param began when the recorder began; a thread that was started again passes the same. Unix microseconds.
   * @returns when the recorder before it was last known to run, in Unix microseconds; undefined if only the thread was started again.
   */
  lastRun(began: number): Promise<number | undefined> {
    return this.#mutex.runExclusive(() => this.#lastRun(began));
  }

  async #lastRun(began: number): Promise<number | undefined> {
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
        const until = await this.#lastRun(began);
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
}
