import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import type { LogTimes } from '../schema/log-times.ts';
import { inTransaction } from '../schema/transaction.ts';

/** Moved at once: a writer waits for one such step at most. */
const step = 100_000;
/** Entries of an earlier run of the recorder show whether the present clock is right, if they are not older than this. */
const maxWrongUs = 24 * 60 * 60 * 1_000_000;
/** Over such a gap in the log, no recorder was off: the clock was set. */
const minGapUs = 30 * 24 * 60 * 60 * 1_000_000;

export interface RepairedLog {
  readonly writer: DuckDBConnection;
  readonly writes: Mutex;
  /** Removes derived data about log entries newer than this, before they are moved, or others get such times. */
  readonly forgetAfter: (time: number) => Promise<void>;
}

/**
 * Corrects the times of entries that were written while the machine's clock was ahead, once it has been set back: they keep
 * their order and their distances, and the newest of them was written now.
 *
 * If entries from before that time are newer than now, too, it is rather the present clock that is wrong (a machine without a
 * battery has just started), and nothing is changed; unless the log has a gap around now that is longer than all that comes
 * after it: then those are the ones of a wrong clock, however long it was, and whether the recorder was started meanwhile.
 */
export class LogTimeRepair {
  readonly #log: RepairedLog;

  constructor(log: RepairedLog) {
    this.#log = log;
  }

  /** Rows must not be deleted or copied meanwhile. @returns the time of the newest entry */
  async run({ now, newest, earlier }: LogTimes): Promise<number> {
    const { writer, writes, forgetAfter } = this.#log;
    // Moved entries come behind this one.
    const past = await this.#newest('time <= $1', now);
    const border = Math.max(earlier, newest - maxWrongUs);
    const isRight = (await this.#newest('time <= $1', border)) <= now;
    if (!isRight && !(await this.#isAfterGap(past, now, newest))) return newest;
    let before = past;
    const shift = newest - now;
    let moved = now;
    for (;;) {
      const last = await this.#newest(`time > $1 ORDER BY time LIMIT ${step}`, moved);
      if (last <= moved) return Math.max(before, now);
      const values = [moved, last, before, shift].map((value) => BigInt(value));
      before = await writes.runExclusive(async () => {
        // Before each step: since the one before, what had been moved until then may have been counted.
        await forgetAfter(past);
        return this.#move(writer, values);
      });
      moved = last;
    }
  }

  /** @param values from after the first to the second; after which time, and by how much. @returns the last new time. */
  async #move(writer: DuckDBConnection, values: bigint[]): Promise<number> {
    let newest = 0;
    await inTransaction(writer, async () => {
      await writer.run(
        `CREATE OR REPLACE TEMP TABLE moved AS
          SELECT greatest(time - $4, $3 + row_number() OVER (ORDER BY time)) AS time, level, src, monitorID, msg
          FROM log WHERE time > $1 AND time <= $2`,
        values,
        values.map(() => BIGINT),
      );
      await writer.run('DELETE FROM log WHERE time > $1 AND time <= $2', values.slice(0, 2), [
        BIGINT,
        BIGINT,
      ]);
      await writer.run('INSERT INTO log FROM moved ORDER BY time');
      const found = await writer.runAndReadAll('SELECT max(time) FROM moved');
      newest = Number(found.getRows()[0]?.[0]);
      await writer.run('DROP TABLE moved');
    });
    return newest;
  }

  /** @param past the time of the newest entry that is not ahead; -1 if there is none. */
  async #isAfterGap(past: number, now: number, newest: number): Promise<boolean> {
    if (past < 0) return false;
    const first = await this.#ask('SELECT min(time) FROM log WHERE time > $1', now);
    const ahead = first === undefined ? 0 : first - now;
    return ahead > minGapUs && ahead > newest - now - ahead;
  }

  async #newest(condition: string, time: number): Promise<number> {
    return (await this.#ask(`SELECT max(time) FROM (SELECT time FROM log WHERE ${condition})`, time)) ?? -1;
  }

  /** For a time, while nothing is stored; see `Positions.ask`. */
  async #ask(question: string, time: number): Promise<number | undefined> {
    const { writer, writes } = this.#log;
    const found = await writes.runExclusive(() => writer.runAndReadAll(question, [BigInt(time)], [BIGINT]));
    const [answer] = found.getRows()[0] ?? [];
    return typeof answer === 'bigint' ? Number(answer) : undefined;
  }
}
