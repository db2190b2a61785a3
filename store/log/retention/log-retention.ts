import { stat } from 'node:fs/promises';
import { BIGINT } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { LogTimes } from '../schema/log-times.ts';
import type { ReadWriteLock } from '../schema/read-write-lock.ts';
import { type AgingTable, agingTables, type SqlTable } from '../schema/schema.ts';
import { LogCompaction } from './compaction.ts';
import { LogTimeRepair } from './log-time-repair.ts';
import type { RetainedTables } from './retained-tables.ts';

/** What the retention bounds. */
interface RetainedFile {
  readonly file: string;
  /** Of this machine, then of each other one. */
  readonly tables: readonly RetainedTables[];
  /** The mutex of all writers. */
  readonly writes: Mutex;
  /** The lock that every reader takes. */
  readonly reads: ReadWriteLock;
}

/** Rows deleted per step: the size of DuckDB's row groups. A step takes some hundredths of a second. */
const step = 122_880;
/** Past this size of the write-ahead log, checkpoints have failed: DuckDB makes one by itself at 16 MB. */
const maxJournalBytes = 32e6;
const rounds = 10;
const hourMs = 60 * 60 * 1000;

/** Old rows that are still needed are kept. */
const conditions: Partial<Record<SqlTable, string>> = {
  // The current state of a monitor may be old.
  state:
    'AND time < (SELECT max(later.time) FROM state later WHERE later.monitorID = state.monitorID AND later.time < $1)',
  tenure:
    'AND time < (SELECT max(later.time) FROM tenure later WHERE later.monitorID = tenure.monitorID AND later.time < $1)',
  // A recording is listed as long as its file exists.
  recording: 'AND id IN (SELECT id FROM removal)',
  openRecording: 'AND id IN (SELECT id FROM removal)',
  removal: 'AND id NOT IN (SELECT id FROM recording) AND id NOT IN (SELECT id FROM openRecording)',
};

/**
 * Deletes the oldest rows and keeps the file small. A writer never waits for more than one step.
 *
 * The space of deleted rows is reused, from the beginning of the file on, and the end of the file is cut off when it is
 * free. A file that stays more than twice as large as its content is compacted.
 */
export class LogRetention {
  readonly #retained: RetainedFile;
  readonly #compaction: LogCompaction;
  readonly #turns = new Mutex();
  #compactedAt = 0;
  #tending: Promise<void> | undefined;

  constructor(retained: RetainedFile) {
    this.#retained = retained;
    this.#compaction = new LogCompaction(retained);
  }

  /**
   * Deletes rows older than `oldest` (Unix time in microseconds), then the oldest rows until the rest takes at most `maxBytes`.
   */
  prune(oldest: number, maxBytes: number): Promise<void> {
    return this.#turns.runExclusive(async () => {
      for (const tables of this.#retained.tables) {
        await this.#delete(tables, 'presence', oldest);
        await this.#delete(tables, 'openRecording', oldest);
        for (const table of agingTables) await this.#forget(tables, table, oldest);
      }
      await this.#checkpoint();
      await this.#tend(maxBytes);
    });
  }

  /** Enforces the size limit only. Costs next to nothing if there is nothing to do, or if it is already running. */
  tend(maxBytes: number): Promise<void> {
    this.#tending ??= this.#turns
      .runExclusive(() => this.#tend(maxBytes))
      .finally(() => {
        this.#tending = undefined;
      });
    return this.#tending;
  }

  /** Compactions that have begun. */
  get compactions(): number {
    return this.#compaction.count;
  }

  get isCompacting(): boolean {
    return this.#compaction.isRunning;
  }

  /** See {@link LogTimeRepair}. It shares the turns, because rows that are being copied must not be moved. */
  repairTimes({ writer, forgetAfter }: RetainedTables, times: LogTimes): Promise<number> {
    const { writes } = this.#retained;
    const repair = new LogTimeRepair({ writer, writes, forgetAfter });
    return this.#turns.runExclusive(() => repair.run(times));
  }

  /** Runs a task after the running step, while no other begins. */
  pauseFor(task: () => Promise<void>): Promise<void> {
    return this.#turns.runExclusive(task);
  }

  /** Stops the running step. */
  async close(): Promise<void> {
    const keepers = this.#retained.tables.map(({ keeper }) => keeper);
    const interrupting = setInterval(() => {
      for (const keeper of keepers) keeper.interrupt();
    }, 50);
    await this.#turns.close(() => {
      for (const keeper of keepers) keeper.closeSync();
    });
    clearInterval(interrupting);
  }

  async #tend(maxBytes: number): Promise<void> {
    const { file, reads } = this.#retained;
    // Beside readers, what they may still see would keep its space, and there may always be one.
    if ((await sizeOf(`${file}.wal`)) > maxJournalBytes) await reads.write(() => this.#checkpoint());
    // No more than that is used.
    if ((await sizeOf(file)) <= maxBytes) return;
    for (let round = 0; round < rounds; round += 1) {
      const used = await this.#used();
      if (used <= maxBytes) break;
      const [largest] = (await this.#counts()).sort((a, b) => b.rows - a.rows);
      if (!largest || largest.rows === 0) break;
      const { tables, table, rows, stored } = largest;
      // Deleted rows keep their space while their row group has other rows.
      if (stored - rows > stored / 5) await this.#compaction.run();
      else await this.#forgetRows(tables, table, Math.ceil(rows * (1 - (0.9 * maxBytes) / used)));
      if (!(await this.#checkpoint())) return;
    }
    await this.#compactFile(maxBytes);
  }

  /** More of the file is free than used, so the copy fits into the file, before its end. */
  async #compactFile(maxBytes: number): Promise<void> {
    const size = await sizeOf(this.#retained.file);
    if (size <= 1.5 * maxBytes || size <= 2.1 * (await this.#used())) return;
    // If compaction does not help, repeating it at once does not help either.
    if (Date.now() - this.#compactedAt < hourMs) return;
    this.#compactedAt = Date.now();
    await this.#compaction.run();
    await this.#checkpoint();
  }

  /** Deletes rows older than this. */
  async #forget(tables: RetainedTables, table: AgingTable, oldest: number): Promise<void> {
    for (;;) {
      const border = await timeAt(tables, table, step);
      if (border === undefined || border >= oldest) break;
      // Only the log's times are strictly ascending.
      if ((await this.#delete(tables, table, border)) === 0) break;
    }
    await this.#delete(tables, table, oldest);
  }

  /** Deletes about this many of the oldest rows. */
  async #forgetRows(tables: RetainedTables, table: AgingTable, count: number): Promise<void> {
    for (let left = count; left > 0; left -= step) {
      const border = await timeAt(tables, table, Math.min(left, step) - 1);
      if (border === undefined) return;
      await this.#delete(tables, table, border + 1);
    }
  }

  /** @returns the number of deleted rows. */
  #delete(
    { writer, forget }: RetainedTables,
    table: AgingTable | 'presence' | 'openRecording',
    time: number,
  ): Promise<number> {
    return this.#retained.writes.runExclusive(async () => {
      if (table === 'log') await forget(time);
      const sql = `DELETE FROM ${table} WHERE time < $1 ${conditions[table] ?? ''}`;
      return (await writer.run(sql, [BigInt(time)], [BIGINT])).rowsChanged;
    });
  }

  /** Only a checkpoint frees space. @returns false if there was none, because the disk is full for example. */
  #checkpoint(): Promise<boolean> {
    const { writes, tables } = this.#retained;
    const [own] = tables;
    if (!own) return Promise.resolve(false);
    return writes.runExclusive(() =>
      own.writer.run('CHECKPOINT').then(
        () => true,
        () => false,
      ),
    );
  }

  async #used(): Promise<number> {
    const [own] = this.#retained.tables;
    const [used] = own ? await row(own, 'SELECT used_blocks * block_size FROM pragma_database_size()') : [];
    return Number(used ?? 0);
  }

  /** The number of rows of each table of each machine, and the number it stores, including deleted rows. */
  async #counts(): Promise<(Counted & { rows: number; stored: number })[]> {
    const all = this.#retained.tables.flatMap((tables) => agingTables.map((table) => ({ tables, table })));
    return Promise.all(
      all.map(async ({ tables, table }) => {
        const [rows] = await row(tables, `SELECT count(*) FROM ${table}`);
        const [stored] = await row(
          tables,
          `SELECT estimated_size FROM duckdb_tables() WHERE schema_name = current_schema() AND table_name = '${table}'`,
        );
        return { tables, table, rows: Number(rows), stored: Number(stored) };
      }),
    );
  }
}

interface Counted {
  readonly tables: RetainedTables;
  readonly table: AgingTable;
}

/** The time of the row after this many rows. */
async function timeAt(tables: RetainedTables, table: AgingTable, rows: number): Promise<number | undefined> {
  const [time] = await row(tables, `SELECT time FROM ${table} LIMIT 1 OFFSET ${rows}`);
  return time === undefined ? undefined : Number(time);
}

async function row({ keeper }: RetainedTables, sql: string): Promise<readonly unknown[]> {
  return (await keeper.runAndReadAll(sql)).getRows()[0] ?? [];
}

const sizeOf = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );
