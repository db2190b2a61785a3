import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ensureFolder } from '../../../bus/base/files.ts';
import { Mutex } from '../../../bus/base/mutex.ts';
import { StoreError } from '../../base/store-error.ts';
import { EventList } from '../catalogue/event-list.ts';
import { RecordingCatalogue } from '../catalogue/recording-catalogue.ts';
import { RecordingUsage } from '../catalogue/recording-usage.ts';
import { Timeline } from '../catalogue/timeline.ts';
import { DetectionWriter } from '../projection/detection-writer.ts';
import { LogWriter } from '../projection/log-writer.ts';
import { Positions } from '../projection/positions.ts';
import { RecordingWriter } from '../projection/recording-writer.ts';
import { HourlyRollup } from '../read/hourly-rollup.ts';
import { LogPages } from '../read/log-pages.ts';
import { LogStats } from '../read/log-stats.ts';
import { TextIndex } from '../read/text-index.ts';
import { FileHold } from '../retention/file-hold.ts';
import { LogRetention } from '../retention/log-retention.ts';
import { migrateFile } from '../schema/migration.ts';
import { ReadWriteLock } from '../schema/read-write-lock.ts';

const options = {
  threads: '2',
  memory_limit: '256MB',
  max_temp_directory_size: '256MB',
  // While the file is checkpointed, it lets `ORDER BY time LIMIT` skip rows that belong to the answer: DuckDB 1.5.6.
  disabled_optimizers: 'row_group_pruner',
  // The recorder downloads nothing, not even DuckDB's extensions.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** The session's time zone, whatever the machine's is: columns without a zone are in UTC. */
const utc = "SET GLOBAL TimeZone = 'UTC';";

// Users' statements run in another process; our own do not need the locked features either.
const lock = 'SET enable_external_access = false; SET lock_configuration = true;';

/** Failures of the machine, not of the file: moving the file aside would not help. */
const machineTrouble =
  /could not set lock|permission denied|no space left|too many open files|out of memory/i;

const connectionNames = [
  'writer',
  'keeper',
  'reader',
  'counter',
  'catalogue',
  'usage',
  'timeline',
  'events',
] as const;
type ConnectionName = (typeof connectionNames)[number];

/** The log and the events in DuckDB. Only one instance per file; its calls may overlap. */
export class LogDatabase {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** Writers take turns, and so do readers; neither waits for the other. */
  readonly #writes = new Mutex();
  readonly #hours: HourlyRollup;
  readonly #slices: TextIndex;
  /** Every query takes this lock, so that there can be a moment without readers. */
  readonly reads = new ReadWriteLock();
  readonly positions: Positions;
  readonly writer: LogWriter;
  readonly detections: DetectionWriter;
  readonly recordings: RecordingWriter;
  readonly retention: LogRetention;
  /** For programs that copy the file. */
  readonly hold: FileHold;
  readonly pages: LogPages;
  readonly stats: LogStats;
  readonly catalogue: RecordingCatalogue;
  readonly usage: RecordingUsage;
  readonly timeline: Timeline;
  readonly events: EventList;
  readonly #id = randomUUID();

  private constructor(
    file: string,
    instance: DuckDBInstance,
    connections: Readonly<Record<ConnectionName, DuckDBConnection>>,
  ) {
    this.#instance = instance;
    this.#connection = connections.writer;
    this.#hours = new HourlyRollup(connections.writer, this.#writes);
    this.#slices = new TextIndex(connections.writer, this.#writes);
    this.positions = new Positions(connections.writer, this.#writes);
    this.detections = new DetectionWriter(connections.writer, this.#writes, this.positions);
    this.recordings = new RecordingWriter(
      connections.writer,
      this.positions,
      (stored) => this.catalogue.learn(stored),
      (task) => this.retention.pauseFor(task),
    );
    this.writer = new LogWriter(connections.writer, this.positions, (entries) => {
      void this.#hours.advance(entries.at(-1)?.time ?? 0);
      void this.#slices.advance(entries.length);
    });
    this.retention = new LogRetention({
      file,
      writer: connections.writer,
      writes: this.#writes,
      keeper: connections.keeper,
      reads: this.reads,
      forget: async (before) => {
        await this.#hours.forget(before);
        await this.#slices.forget(before);
      },
      forgetAfter: async (time) => {
        await this.#hours.forgetAfter(time);
        await this.#slices.forgetAfter(time);
      },
    });
    this.hold = new FileHold(connections.writer, this.#writes, this.retention);
    this.pages = new LogPages(connections.reader);
    this.stats = new LogStats(connections.counter);
    this.catalogue = new RecordingCatalogue(connections.catalogue);
    this.usage = new RecordingUsage(connections.usage);
    this.timeline = new Timeline(connections.timeline);
    this.events = new EventList(connections.events);
  }

  /**
   * Opens the file, or creates it. A file that DuckDB cannot read is renamed to `<file>.broken`, and a new one is created.
   *
   * @returns `broken` is the reason why the old file was moved aside; undefined if it was not.
   */
  static async open(file: string): Promise<{ database: LogDatabase; broken?: string }> {
    await ensureFolder(dirname(file));
    try {
      return { database: await LogDatabase.#open(file) };
    } catch (error) {
      const broken = (error as Error).message.split('\n', 1)[0] ?? '';
      if (!existsSync(file) || machineTrouble.test(broken)) throw error;
      await rename(file, `${file}.broken`);
      // The write-ahead log belongs to the old file and would be replayed into the new one.
      await rm(`${file}.wal`, { force: true });
      return { database: await LogDatabase.#open(file), broken };
    }
  }

  static async #open(file: string): Promise<LogDatabase> {
    const instance = await DuckDBInstance.create(file, options);
    try {
      const writer = await instance.connect();
      await migrateFile(writer);
      await writer.run(utc + lock);
      const others: Partial<Record<ConnectionName, DuckDBConnection>> = {};
      for (const name of connectionNames) others[name] = await instance.connect();
      const connections = { ...(others as Record<ConnectionName, DuckDBConnection>), writer };
      const database = new LogDatabase(file, instance, connections);
      // A table of another shape must be detected now, while the file can still be replaced.
      await database.positions.read('LOGS');
      await database.pages.read({ limit: 1 }, false);
      await database.catalogue.load();
      return database;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  /**
   * As long as this is the same, the file's blocks are written to in checkpoints only: a compaction writes to them before.
   *
   * @throws {StoreError} `busy` during a compaction
   */
  get version(): string {
    const { compactions, isCompacting } = this.retention;
    if (isCompacting) throw new StoreError('busy', 'the log is being compacted; try again');
    return `${this.#id} ${compactions}`;
  }

  /**
   * Completes the indexes of a database that is older than they are, or whose process was killed. Entries are stored and
   * queries answered meanwhile.
   */
  async prepare(): Promise<void> {
    await Promise.all([this.#hours.count(), this.#slices.advance(0)]);
  }

  /**
   * Waits for running work, then checkpoints and closes the file. Safe to call twice.
   *
   * A thread must not end before that: DuckDB's binding aborts the whole process when one of its calls returns to a thread
   * that has ended.
   */
  close(): Promise<void> {
    this.hold.release();
    return this.#writes.close(async () => {
      const { retention, pages, stats, catalogue, usage, timeline, events } = this;
      const readers = [pages, stats, catalogue, usage, timeline, events];
      await Promise.all([retention, ...readers].map((each) => each.close()));
      await this.#connection.run('CHECKPOINT').catch(() => {});
      this.#connection.closeSync();
      this.#instance.closeSync();
    });
  }
}
