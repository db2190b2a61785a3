import type { DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { copyOf, createTable, growingTables, type SqlTable, smallTables } from '../schema/schema.ts';
import { inTransaction } from '../schema/transaction.ts';

interface Compacted {
  readonly writer: DuckDBConnection;
  readonly writes: Mutex;
  readonly keeper: DuckDBConnection;
}

/**
 * Copies the tables within their file and lets the originals go. What a crash leaves is the originals, whole, and
 * copies that nobody knows of; the next start drops those.
 */
export class LogCompaction {
  readonly #compacted: Compacted;

  constructor(compacted: Compacted) {
    this.#compacted = compacted;
  }

  /** Nothing may be deleted meanwhile; rows may come. A checkpoint afterwards makes the file smaller. */
  async run(): Promise<void> {
    for (const table of growingTables) await this.#replace(table, true);
    // A single row at the end of the file would keep it as long as it is.
    for (const table of smallTables) await this.#replace(table, false);
  }

  /** @param ahead copies what is there already before those who write have to wait. */
  async #replace(table: SqlTable, ahead: boolean): Promise<void> {
    const { keeper, writer, writes } = this.#compacted;
    const copy = copyOf(table);
    try {
      await keeper.run(createTable(table, copy));
      // Most of it takes long, but holds up nobody. What came meanwhile takes little.
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

/** Rows come only at the end. To count would take long in the log, whose times are strictly in order. */
const copyRest = (table: SqlTable, copy: string) =>
  table === 'log'
    ? `INSERT INTO ${copy} FROM log WHERE time > (SELECT coalesce(max(time), -1) FROM ${copy})`
    : `INSERT INTO ${copy} FROM ${table} OFFSET (SELECT count(*) FROM ${copy})`;
