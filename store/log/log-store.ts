import { hostname } from 'node:os';
import { nowUs } from '../../bus/base/time.ts';
import type { CheckpointAnswer } from '../../bus/messages.ts';
import type { BusAddress } from '../../bus/nats/bus-address.ts';
import { StoreError } from '../base/store-error.ts';
import type { Config } from '../config/config.ts';
import type { EventFilter, ListedEvent, Occurrence, OccurrenceFilter } from './catalogue/event-list.ts';
import type { CatalogueEntry, RecordingFilter, TenureQuestion } from './catalogue/recording-catalogue.ts';
import type { UsageAnswer, UsageQuestion } from './catalogue/recording-usage.ts';
import type { TimelineAnswer, TimelineQuestion } from './catalogue/timeline.ts';
import { CatalogueComparison } from './catalogue-comparison.ts';
import type { ExportFormat } from './export/export-format.ts';
import type { LogFilter, MachineEntry } from './read/log-filter.ts';
import type { StatsQuestion, StatsRow } from './read/log-stats.ts';
import { noTotals, type StatusTotals } from './read/log-totals.ts';
import type { LogStoreError } from './schema/log-store-error.ts';
import { isAfterCorrection } from './schema/log-times.ts';
import type { SqlFormat } from './sql/sql-format.ts';
import type { SqlResult } from './sql/sql-runner.ts';
import { SqlProcesses } from './sql-process/sql-processes.ts';
import type { RankedTenure, SiteFilter } from './worker/all-machines.ts';
import { type FollowConditions, followLog } from './worker/follower.ts';
import { LogClient } from './worker/log-client.ts';
import type { LogSite } from './worker/log-protocol.ts';

export { type LogFilter, MachineEntry, matchesFilter, PublicEntry } from './read/log-filter.ts';
export { LogStoreError } from './schema/log-store-error.ts';
export type { SqlResult } from './sql/sql-runner.ts';
export type { RankedTenure } from './worker/all-machines.ts';
export type { LogSite } from './worker/log-protocol.ts';

export interface LogStoreOptions {
  /** The database's file. */
  readonly file: string;
  readonly bus: BusAddress;
  /** This machine's name; its host name by default. */
  readonly machine?: string;
  /** Where it is one of several: their streams are read, too. */
  readonly site?: LogSite | undefined;
  readonly logs: Pick<Config['logs'], 'maxAgeDays' | 'maxSizeMegabytes'>;
  /** Time limit of a statement whose answer is no stream; 5 s if undefined. */
  readonly statementSeconds?: number | undefined;
  /** Hears of what goes wrong behind the callers' backs, such as a crash of the thread. */
  readonly onError: (error: LogStoreError) => void;
}

type Listener = (entries: readonly MachineEntry[]) => void;
type OfMachine = Pick<MachineEntry, 'machine'>;

/**
 * The log: every entry that reaches the bus of this machine, or of another one of its cluster, once. The times of a machine's
 * entries only grow, so that a time and a machine name an entry.
 *
 * A projection of the buses' streams into DuckDB, made by a thread with connections of its own.
 */
export class LogStore {
  readonly #listeners = new Set<Listener>();
  readonly #endings = new Set<() => void>();
  #thread: LogClient | undefined;
  #statements: SqlProcesses | undefined;
  /** Those who follow have had every entry of a machine up to this time. */
  readonly #deliveredUpTo = new Map<string, number>();
  #machines: readonly string[] = [];
  #closed: Promise<void> | undefined;

  /**
   * Opens the database and begins to read the stream. A file that cannot be read is moved aside and made again
   * from what the bus still has.
   *
   * @throws {LogStoreError} when the thread cannot be started, because of the file or because of the bus.
   */
  static async open(options: LogStoreOptions): Promise<LogStore> {
    const { file, bus, machine = hostname(), site, logs, statementSeconds, onError } = options;
    const store = new LogStore();
    store.#machines = [machine, ...(site?.others ?? [])];
    store.#thread = await LogClient.start({
      beginning: { file, bus, machine, site, began: nowUs(), ...logs },
      entries: (entries) => store.#deliver(entries),
      report: onError,
    });
    const thread = store.#thread;
    store.#statements = new SqlProcesses({
      file,
      commit: () => thread.ask('fileVersion', { commits: true }),
      version: () => thread.ask('fileVersion', { commits: false }),
      answerSeconds: statementSeconds,
    });
    return store;
  }

  /**
   * The newest entries that match, newest first. An entry that was on the bus before the call is among them, and
   * one that was shown once is shown again, whatever crashes meanwhile.
   *
   * @throws {StoreError} `io`
   */
  query(filter: LogFilter): Promise<MachineEntry[]> {
    return this.#query(filter, false);
  }

  /**
   * Counts entries.
   *
   * @throws {StoreError} `invalid` when there are too many rows; `io`
   */
  async stats(question: StatsQuestion): Promise<StatsRow[]> {
    return this.#thread?.ask('stats', question) ?? [];
  }

  /**
   * Every matching entry, oldest first, up to the one that is the newest when it begins. Each piece is read when it is
   * asked for; a caller that does not read to the end must `return`.
   *
   * @throws {StoreError} `conflict` when too many exports are under way, with the first piece; `io`
   */
  async *export(filter: LogFilter, format: ExportFormat): AsyncGenerator<Uint8Array> {
    if (this.#thread) yield* this.#thread.download(filter, format);
  }

  /** The recordings on this machine's disk that match, in the order of their ids. @throws {StoreError} `io` */
  async recordings(filter: RecordingFilter): Promise<CatalogueEntry[]> {
    return this.#thread?.ask('recordings', filter) ?? [];
  }

  /**
   * The recordings of all machines that match, as far as they are known here, in the order of their ids and machines.
   *
   * @throws {StoreError} `io`
   */
  async siteRecordings(filter: SiteFilter): Promise<(CatalogueEntry & OfMachine)[]> {
    return this.#thread?.ask('siteRecordings', filter) ?? [];
  }

  /**
   * How each machine recorded a monitor when, in the order of time; the first of each machine is what it did at the beginning.
   *
   * @throws {StoreError} `io`
   */
  async siteTenures(question: TenureQuestion): Promise<RankedTenure[]> {
    return this.#thread?.ask('siteTenures', question) ?? [];
  }

  /** What machines have and what others know of it, compared. */
  get comparison(): CatalogueComparison {
    return new CatalogueComparison(this.#thread);
  }

  /** What the recordings on disk take, and which are the oldest. @throws {StoreError} `io` */
  async usage(question: UsageQuestion): Promise<UsageAnswer> {
    if (!this.#thread) throw new StoreError('io', 'the log is closed');
    return this.#thread.ask('usage', question);
  }

  /**
   * What was recorded and what happened, in at most 64 KB.
   *
   * @throws {StoreError} `invalid` when the answer would be longer; `io`
   */
  async timeline(question: TimelineQuestion): Promise<TimelineAnswer> {
    if (!this.#thread) throw new StoreError('io', 'the log is closed');
    return this.#thread.ask('timeline', question);
  }

  /** The events that match, each with the recording that shows it. @throws {StoreError} `io` */
  async events(filter: EventFilter): Promise<(ListedEvent & OfMachine)[]> {
    return this.#thread?.ask('events', filter) ?? [];
  }

  /** The events that match, those of one monitor that follow each other as one. @throws {StoreError} `io` */
  async occurrences(filter: OccurrenceFilter): Promise<(Occurrence & OfMachine)[]> {
    return this.#thread?.ask('occurrences', filter) ?? [];
  }

  /**
   * Makes the file one that another process can copy: with all that the bus has now, and checkpointed.
   *
   * @param holdMs milliseconds for which it then stays as it is; entries wait on the bus, and queries wait. Called again, a
   *   hold is prolonged, or ended by 0.
   * @throws {StoreError} `io`
   */
  async checkpoint(holdMs: number): Promise<CheckpointAnswer> {
    if (!this.#thread) throw new StoreError('io', 'the log is closed');
    return this.#thread.ask('checkpoint', { holdMs });
  }

  /**
   * Counts of log entries and detections since the thread began.
   *
   * @throws {StoreError} `io`
   */
  async totals(): Promise<StatusTotals> {
    return this.#thread?.ask('totals', undefined) ?? noTotals;
  }

  /**
   * Puts one read-only statement to the views (see `schema.ts`): at most 10,000 rows and 8 MB of an
   * answer that takes at most five seconds.
   *
   * @param signal ends it.
   * @throws {StoreError} `invalid` with the reason, when the statement is refused, wrong, or asks too much; `io`
   */
  async sql(sql: string, signal: AbortSignal): Promise<SqlResult> {
    if (!this.#statements) throw new StoreError('io', 'the log is closed');
    return this.#statements.run(sql, signal);
  }

  /**
   * As `sql`, with an answer of any length as CSV or as an Arrow stream: at most ten million rows, and two minutes with
   * the time that the client takes. Each piece is read when it is asked for; a caller that does not read to the end must
   * `return`. One that fails behind the first piece was not whole.
   *
   * @param signal ends it.
   * @throws {StoreError} with the first piece: `invalid`; `conflict` when too many are under way; `io`
   */
  async *sqlStream(sql: string, format: SqlFormat, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#statements) yield* this.#statements.stream(sql, format, signal);
  }

  /**
   * Calls `listener`, which must not throw, with every entry from now on: in its machine's order, with its final time, those
   * that come together in one call. @returns ends it.
   */
  follow(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#thread?.follow(true);
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#thread?.follow(false);
    };
  }

  /**
   * Calls `listener` with the matching entries strictly after `time`, oldest first, then with every matching one
   * that follows, without gap or repeat. (For the WebSocket's `after=`.) All of that for each machine by itself, because what
   * another machine logged may arrive later than what was logged here after it.
   *
   * While it catches up the listener is given at most 1000 entries at a time, and a promise that it returns is
   * awaited, so a client that reads slowly holds up only itself. Once it has caught up, entries are handed over
   * as they come and nothing is awaited: the listener watches its own buffer. One that rejects is called no more.
   *
   * @returns ends it; nothing is handed over afterwards.
   */
  followAfter(
    time: number | ((machine: string) => number),
    filter: FollowConditions,
    listener: (entries: readonly MachineEntry[]) => Promise<void> | void,
  ): () => void {
    const source = {
      read: (page: LogFilter) => this.#query(page, true),
      follow: (live: Listener) => this.follow(live),
    };
    const { machines = [] } = filter;
    const ends = this.#machines
      .filter((machine) => machines.length === 0 || machines.includes(machine))
      .map((machine) => {
        const after = typeof time === 'number' ? time : time(machine);
        return followLog(source, after, { ...filter, machines: [machine] }, listener);
      });
    const end = () => {
      this.#endings.delete(end);
      for (const endOne of ends) endOne();
    };
    this.#endings.add(end);
    return end;
  }

  /** Says which recorders of the cluster are heard: what the others were doing has ended, for all that is known. */
  hear(machines: readonly string[]): void {
    this.#thread?.hear(machines);
  }

  /** Stores what has arrived and ends the thread. Safe to call twice. */
  close(): Promise<void> {
    for (const end of this.#endings) end();
    this.#listeners.clear();
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#statements?.close(), this.#thread?.close()]);
  }

  async #query(filter: LogFilter, oldestFirst: boolean): Promise<MachineEntry[]> {
    return this.#thread?.ask('page', { filter, oldestFirst }) ?? [];
  }

  /** A thread that was started again posts what its predecessor had not committed once more; their times show it. */
  #deliver(entries: readonly MachineEntry[]): void {
    const news = entries.filter(({ machine, time }) => {
      const last = this.#deliveredUpTo.get(machine) ?? -1;
      if (time <= last && !isAfterCorrection(last, time)) return false;
      this.#deliveredUpTo.set(machine, time);
      return true;
    });
    if (news.length === 0) return;
    for (const listener of [...this.#listeners]) listener(news);
  }
}
