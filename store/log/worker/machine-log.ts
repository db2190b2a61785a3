import type { DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import { EventList } from '../catalogue/event-list.ts';
import { RecordingCatalogue } from '../catalogue/recording-catalogue.ts';
import { RecordingUsage } from '../catalogue/recording-usage.ts';
import { TimelineReader } from '../catalogue/timeline-reader.ts';
import { DetectionWriter } from '../projection/detection-writer.ts';
import { LogWriter } from '../projection/log-writer.ts';
import { Positions } from '../projection/positions.ts';
import { EventMoves } from '../projection/recorded-events/event-moves.ts';
import { RecordingComparison } from '../projection/recording-comparison.ts';
import { RecordingWriter } from '../projection/recording-writer.ts';
import { MachineLife } from '../projection/states/machine-life.ts';
import { StateWriter } from '../projection/states/state-writer.ts';
import { HourlyRollup } from '../read/hourly-rollup.ts';
import { LogPages } from '../read/log-pages.ts';
import { LogStats } from '../read/log-stats.ts';
import { TextIndex } from '../read/text-index.ts';
import type { RetainedTables } from '../retention/retained-tables.ts';
import type { LogTimes } from '../schema/log-times.ts';
import { enterSchema } from '../schema/machine-schema.ts';
import type { StoredRecordings } from '../schema/stored-recordings.ts';

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
/** Connections to the tables of one machine: one for each kind of work that goes on beside the others. */
export type MachineConnections = Readonly<Record<(typeof connectionNames)[number], DuckDBConnection>>;

/** Connects to the tables in a schema. */
export async function connectToSchema(
  connect: () => Promise<DuckDBConnection>,
  schema: string,
): Promise<MachineConnections> {
  const connections: Partial<Record<keyof MachineConnections, DuckDBConnection>> = {};
  for (const name of connectionNames) {
    const connection = await connect();
    await enterSchema(connection, schema);
    connections[name] = connection;
  }
  return connections as MachineConnections;
}

/** What all machines' tables have in common, because they are in one file. */
export interface SharedFile {
  /** Writers take turns, and so do readers; neither waits for the other. */
  readonly writes: Mutex;
  /** Runs a task while no rows are deleted or copied. */
  pauseRetention(task: () => Promise<void>): Promise<void>;
  /** See `LogTimeRepair`. */
  repairTimes(tables: RetainedTables, times: LogTimes): Promise<number>;
}

/** The log, events and recordings of one machine: the tables of a schema, what fills them and what reads them. */
export class MachineLog {
  readonly positions: Positions;
  readonly writer: LogWriter;
  readonly detections: DetectionWriter;
  readonly states: StateWriter;
  readonly life: MachineLife;
  readonly recordings: RecordingComparison;
  readonly pages: LogPages;
  readonly stats: LogStats;
  readonly catalogue: RecordingCatalogue;
  readonly usage: RecordingUsage;
  readonly timeline: TimelineReader;
  readonly events: EventList;
  readonly tables: RetainedTables;
  readonly #hours: HourlyRollup;
  readonly #slices: TextIndex;
  readonly #file: SharedFile;

  constructor(schema: string, connections: MachineConnections, file: SharedFile) {
    const { writes, pauseRetention } = file;
    this.#file = file;
    const { writer, keeper } = connections;
    this.#hours = new HourlyRollup(writer, writes);
    this.#slices = new TextIndex(writer, writes);
    this.positions = new Positions(writer, writes);
    this.detections = new DetectionWriter(writer, this.positions);
    this.states = new StateWriter(writer, this.positions);
    this.life = new MachineLife(writer, writes);
    const moves = new EventMoves(writer);
    const learn = (stored: StoredRecordings) => this.catalogue.learn(stored);
    const recordings = new RecordingWriter(writer, this.positions, learn, pauseRetention, moves);
    this.recordings = new RecordingComparison(writer, this.positions, recordings);
    this.writer = new LogWriter(writer, this.positions, moves, (entries) => {
      void this.#hours.advance(entries.at(-1)?.time ?? 0);
      void this.#slices.advance(entries.length);
    });
    this.tables = {
      ...{ schema, writer, keeper },
      forget: async (before) => {
        await this.#hours.forget(before);
        await this.#slices.forget(before);
      },
      forgetAfter: async (time) => {
        await this.#hours.forgetAfter(time);
        await this.#slices.forgetAfter(time);
      },
    };
    this.pages = new LogPages(connections.reader);
    this.stats = new LogStats(connections.counter);
    this.catalogue = new RecordingCatalogue(connections.catalogue);
    this.usage = new RecordingUsage(connections.usage);
    this.timeline = new TimelineReader(connections.timeline);
    this.events = new EventList(connections.events);
  }

  /** Reads the tables once. @throws if one has another shape. */
  async check(): Promise<void> {
    await this.positions.read('LOGS');
    await this.pages.read({ limit: 1 }, false);
    await this.catalogue.load();
  }

  /** Corrects the times of log entries that are ahead. @returns the time of the newest one. */
  repairTimes(times: LogTimes): Promise<number> {
    return this.#file.repairTimes(this.tables, times);
  }

  /**
   * Completes the indexes of tables that are older than they are, or whose process was killed. Entries are stored and
   * queries answered meanwhile.
   */
  async prepare(): Promise<void> {
    await Promise.all([this.#hours.count(), this.#slices.advance(0)]);
  }

  /** Waits for the queries that are running. */
  async endQueries(): Promise<void> {
    const { pages, stats, catalogue, usage, timeline, events } = this;
    await Promise.all([pages, stats, catalogue, usage, timeline, events].map((each) => each.close()));
  }
}
