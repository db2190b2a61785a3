import { stat } from 'node:fs/promises';
import { BIGINT, type DuckDBConnection } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { ReadWriteLock } from '../schema/read-write-lock.ts';
import { type AgingTable, agingTables } from '../schema/schema.ts';
import { LogCompaction } from './compaction.ts';

/** What the retention works with. */
export interface LogLimits {
  readonly file: string;
  /** The connection that writes, and the turns of everything that does so. */
  readonly writer: DuckDBConnection;
  readonly writes: Mutex;
  /** Nobody else's. */
  readonly keeper: DuckDBConnection;
  /** Through which everything comes that reads. */
  readonly reads: ReadWriteLock;
  /** Lets go what is known of log entries older than this, before they are deleted. */
  readonly forget: (before: number) => Promise<void>;
}

/** Rows that are deleted at once, as many as DuckDB keeps together: a step takes some hundredths of a second. */
const step = 122_880;
/** A write-ahead log that has grown this large is not waiting for a quiet moment any more. */
const maxJournalBytes = 32e6;
const rounds = 10;
const hourMs = 60 * 60 * 1000;

/**
 * Lets the oldest go, and keeps the file small. Whoever writes never waits for more than one step.
 *
 * The space of what is deleted is used again, from the beginning of the file on, and the end of the file is cut off
 * once it is free. A file that stays more than twice as large as what is in it is compacted.
 */
export class LogRetention {
  readonly #retained: LogLimits;
  readonly #compaction: LogCompaction;
  readonly #turns = new Mutex();
  #compactedAt = 0;
  #tending: Promise<void> | undefined;

  constructor(retained: LogLimits) {
    this.#retained = retained;
    this.#compaction = new LogCompaction(retained);
  }

  /**
   * Deletes what is older than `oldest` (Unix microseconds), then the oldest rows until the rest takes at most
   * `maxBytes`.
   */
  prune(oldest: number, maxBytes: number): Promise<void> {
    return this.#turns.runExclusive(async () => {
      for (const table of agingTables) await this.#forget(table, oldest);
      await this.#delete('presence', oldest);
      await this.#delete('openRecording', oldest);
      await this.#checkpoint();
      await this.#tend(maxBytes);
    });
  }

  /** Sees to the size alone. Costs next to nothing while there is nothing to do, or while it is under way. */
  tend(maxBytes: number): Promise<void> {
    this.#tending ??= this.#turns
      .runExclusive(() => this.#tend(maxBytes))
      .finally(() => {
        this.#tending = undefined;
      });
    return this.#tending;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    const interrupting = setInterval(() => this.#retained.keeper.interrupt(), 50);
    await this.#turns.close(() => this.#retained.keeper.closeSync());
    clearInterval(interrupting);
  }

  async #tend(maxBytes: number): Promise<void> {
    const { file, reads } = this.#retained;
    // A checkpoint is refused while anybody reads, and somebody may always do.
    if ((await sizeOf(`${file}.wal`)) > maxJournalBytes) await reads.write(() => this.#checkpoint());
    for (let round = 0; round < rounds; round += 1) {
      const used = await this.#used();
      if (used <= maxBytes) break;
      const [largest] = (await this.#counts()).sort((a, b) => b.rows - a.rows);
      if (!largest || largest.rows === 0) break;
      const { table, rows, stored } = largest;
      // Deleted rows keep their space while DuckDB keeps them together with others that live.
      if (stored - rows > stored / 5) await this.#compaction.run();
      else await this.#forgetRows(table, Math.ceil(rows * (1 - (0.9 * maxBytes) / used)));
      if (!(await this.#checkpoint())) return;
    }
    await this.#compactFile(maxBytes);
  }

  /** What is free is more than what is used, so the copy finds room in the file, and before the end of it. */
  async #compactFile(maxBytes: number): Promise<void> {
    const size = await sizeOf(this.#retained.file);
    if (size <= 1.5 * maxBytes || size <= 2.1 * (await this.#used())) return;
    // Should it not help, to do it again and again would not help more.
    if (Date.now() - this.#compactedAt < hourMs) return;
    this.#compactedAt = Date.now();
    await this.#compaction.run();
    await this.#checkpoint();
  }

  /** Deletes the rows that are older. */
  async #forget(table: AgingTable, oldest: number): Promise<void> {
    for (;;) {
      const border = await this.#timeAt(table, step);
      if (border === undefined || border >= oldest) break;
      // Only the log's times are strictly in order.
      if ((await this.#delete(table, border)) === 0) break;
    }
    await this.#delete(table, oldest);
  }

  /** Deletes about as many of the oldest rows. */
  async #forgetRows(table: AgingTable, count: number): Promise<void> {
    for (let left = count; left > 0; left -= step) {
      const border = await this.#timeAt(table, Math.min(left, step) - 1);
      if (border === undefined) return;
      await this.#delete(table, border + 1);
    }
  }

  /** The time of the row that has so many before it. */
  async #timeAt(table: AgingTable, rows: number): Promise<number | undefined> {
    const [time] = await this.#row(`SELECT time FROM ${table} LIMIT 1 OFFSET ${rows}`);
    return time === undefined ? undefined : Number(time);
  }

  /** @returns how many rows there were before that time. */
  #delete(table: AgingTable | 'presence' | 'openRecording', time: number): Promise<number> {
    const { writes, writer, forget } = this.#retained;
    return writes.runExclusive(async () => {
      if (table === 'log') await forget(time);
      // The state in which a monitor is may be an old one.
      const over =
        table === 'state'
          ? 'AND time < (SELECT max(later.time) FROM state later WHERE later.monitorID = state.monitorID AND later.time < $1)'
          : '';
      const sql = `DELETE FROM ${table} WHERE time < $1 ${over}`;
      return (await writer.run(sql, [BigInt(time)], [BIGINT])).rowsChanged;
    });
  }

  /** Only a checkpoint gives space back. @returns false when it has to wait for those who read. */
  #checkpoint(): Promise<boolean> {
    const { writes, writer } = this.#retained;
    return writes.runExclusive(() =>
      writer.run('CHECKPOINT').then(
        () => true,
        () => false,
      ),
    );
  }

  async #used(): Promise<number> {
    const [used] = await this.#row('SELECT used_blocks * block_size FROM pragma_database_size()');
    return Number(used);
  }

  /** How many rows each table has, and how many it keeps, those included that have been deleted. */
  async #counts(): Promise<{ table: AgingTable; rows: number; stored: number }[]> {
    const found = await Promise.all(
      agingTables.map(async (table) => {
        const [rows] = await this.#row(`SELECT count(*) FROM ${table}`);
        const [stored] = await this.#row(
          `SELECT estimated_size FROM duckdb_tables() WHERE table_name = '${table}'`,
        );
        return { table, rows: Number(rows), stored: Number(stored) };
      }),
    );
    return found;
  }

  async #row(sql: string): Promise<readonly unknown[]> {
    return (await this.#retained.keeper.runAndReadAll(sql)).getRows()[0] ?? [];
  }
}

const sizeOf = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );
