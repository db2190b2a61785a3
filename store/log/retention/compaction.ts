import type { Mutex } from '../../../bus/base/mutex.ts';
import { copyOf, createTable, growingTables, type SqlTable, smallTables } from '../schema/schema.ts';
import { inTransaction } from '../schema/transaction.ts';
import type { RetainedTables } from './retained-tables.ts';

interface Compacted {
  readonly tables: readonly RetainedTables[];
  readonly writes: Mutex;
}

/**
 * Copies the tables within their file and drops the originals. After a crash the originals are complete, and the next start
 * drops the unfinished copies.
 */
export class LogCompaction {
  readonly #compacted: Compacted;
  /** How many have begun. */
  count = 0;
  isRunning = false;

  constructor(compacted: Compacted) {
    this.#compacted = compacted;
  }

  /** Rows may be added meanwhile, but not deleted. A checkpoint afterwards makes the file smaller. */
  async run(): Promise<void> {
    this.count += 1;
    this.isRunning = true;
    try {
      for (const tables of this.#compacted.tables) {
        for (const table of growingTables) await this.#replace(tables, table, true);
        // The small tables are copied too, because a single row at the end of the file would keep its length.
        for (const table of smallTables) await this.#replace(tables, table, false);
      }
    } finally {
      this.isRunning = false;
    }
  }

  /** @param ahead copies the existing rows before writers have to wait. */
  async #replace({ keeper, writer }: RetainedTables, table: SqlTable, ahead: boolean): Promise<void> {
    const { writes } = this.#compacted;
    const copy = copyOf(table);
    try {
      await keeper.run(createTable(table, copy));
      // The bulk takes long but blocks no writer; the rows added meanwhile are few.
      for (let round = 0; ahead && round < 2; round += 1) await keeper.run(copyRest(table, copy));
      await writes.runExclusive(() =>
        inTransaction(writer, async () => {
          await writer.run(copyRest(table, copy));
          await writer.run(`DROP TABLE ${table}; ALTER TABLE ${copy} RENAME TO ${table}`);
        }),
      );
    } catch (error) {
      await writes.runExclusive(() => writer.run(`DROP TABLE IF EXISTS ${copy}`)).catch(() => {});
      throw error;
    }
  }
}

/** Rows are only appended. In the log, whose times are strictly ascending, the time is used: counting would take long. */
const copyRest = (table: SqlTable, copy: string) =>
  table === 'log'
    ? `INSERT INTO ${copy} FROM log WHERE time > (SELECT coalesce(max(time), -1) FROM ${copy})`
    : `INSERT INTO ${copy} FROM ${table} OFFSET (SELECT count(*) FROM ${copy})`;
