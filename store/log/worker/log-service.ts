import { dirname } from 'node:path';
import { nowUs } from '../../../bus/base/time.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { history } from '../../../bus/subjects.ts';
import { lastAgeTime } from '../../base/age-clock.ts';
import { StoreError } from '../../base/store-error.ts';
import { LogDownloads } from '../export/log-downloads.ts';
import { LogExport, type ReadPage } from '../export/log-export.ts';
import { type ProjectedStream, projectedStreams } from '../projection/position.ts';
import { LogProjections, type ProjectionListeners, type StreamFailures } from '../projection/projections.ts';
import { LogTotals } from '../read/log-totals.ts';
import { AllMachines } from './all-machines.ts';
import { AnswerMemory } from './answer-memory.ts';
import { LogDispatch } from './dispatch.ts';
import type { LogDatabase } from './log-database.ts';
import type { FromLogWorker, LogAnswer, LogQuestion, LogTopic, LogWorkerStart } from './log-protocol.ts';
import { SiteStreams } from './site-streams.ts';

const minute = 60_000;
const hourMs = 60 * minute;

/** A machine is silent when it was not heard for so long, in microseconds. */
const silenceUs = 3_000_000;
/** Monitors whose last kill is published again at a start. */
const maxKills = 1000;

/** Milliseconds that a checkpoint waits for what the bus has. */
const checkpointPatienceMs = 30_000;

/** These topics take the read lock per chunk, or not at all. */
type UnlockedTopic = 'openExport' | 'compare' | UnreadTopic;
/** These are not about what the bus has. */
type UnreadTopic = 'readDownload' | 'closeDownload' | 'checkpoint' | 'fileVersion';

/** The streams that an answer is made of. */
const streamsOf: Readonly<Record<Exclude<LogTopic, UnreadTopic>, readonly ProjectedStream[]>> = {
  page: ['LOGS'],
  stats: ['LOGS'],
  openExport: ['LOGS'],
  recordings: ['RECORDINGS', 'HISTORY'],
  siteRecordings: ['RECORDINGS', 'HISTORY'],
  siteTenures: ['TENURES'],
  cataloguePage: ['RECORDINGS', 'HISTORY'],
  // What is found out a little later is compared a little later.
  uncompared: [],
  compare: ['RECORDINGS'],
  usage: ['RECORDINGS', 'HISTORY', 'EVENTS'],
  timeline: ['RECORDINGS', 'HISTORY', 'EVENTS', 'TENURES'],
  events: ['RECORDINGS', 'HISTORY', 'EVENTS', 'TENURES'],
  occurrences: ['RECORDINGS', 'HISTORY', 'EVENTS', 'TENURES'],
  totals: projectedStreams,
};

interface Surroundings {
  readonly beginning: LogWorkerStart;
  tell(message: FromLogWorker): void;
  /** Ends the thread. */
  fail(error: Error): void;
}

/** The log store's thread: reads the streams into the tables, answers queries, posts new entries. */
export class LogService {
  readonly #database: LogDatabase;
  readonly #bus: Bus;
  readonly #surroundings: Surroundings;
  /** Set when the service has started. */
  #streams: LogProjections | undefined;
  /** Where there are several machines. */
  #site: SiteStreams | undefined;
  readonly #machines: AllMachines;
  readonly #downloads = new LogDownloads();
  readonly #totals = new LogTotals();
  readonly #memory = new AnswerMemory();
  /** Sends new entries to the followers. */
  readonly dispatch: LogDispatch;
  /** What this machine publishes at its start of the recorders before it. */
  readonly #kills = new Outbox(maxKills, () => {});
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(database: LogDatabase, bus: Bus, surroundings: Surroundings) {
    const { machine, site } = surroundings.beginning;
    this.#database = database;
    this.#machines = new AllMachines(database, [machine, ...(site?.others ?? [])]);
    this.#bus = bus;
    this.#surroundings = surroundings;
    this.dispatch = new LogDispatch(surroundings.beginning.following, (entries) =>
      surroundings.tell({ kind: 'entries', entries }),
    );
  }

  /** @throws if the bus does not answer. */
  static async start(database: LogDatabase, bus: Bus, surroundings: Surroundings): Promise<LogService> {
    const { began, heard } = surroundings.beginning;
    const service = new LogService(database, bus, surroundings);
    const until = await database.life.lastRun(began);
    // First, so that a start that is cut short repeats it.
    if (until !== undefined) await service.#silence(until);
    await database.life.recordStart(began);
    await service.#repeatKills();
    await service.#read();
    if (heard) service.hear(heard);
    for (const each of [database, ...database.others.values()]) void each.prepare().catch(() => {});
    service.#timers.push(
      setInterval(() => void service.#prune(), hourMs),
      setInterval(() => void service.#tend(), minute / 6),
      // What is stored has answers as well, though small ones.
      setInterval(() => service.#memory.free(), minute / 6),
      // If it fails, a later one does it.
      setInterval(() => void database.life.heartbeat(nowUs()).catch(() => {}), minute),
    );
    void service.#prune();
    return service;
  }

  async answer(question: LogQuestion): Promise<void> {
    const { tell } = this.#surroundings;
    const { id } = question;
    try {
      tell({ kind: 'answer', id, answer: await this.#find(question) });
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof StoreError) {
        const { code, pointer } = error;
        tell({ kind: 'refusal', id, code, message, ...(pointer !== undefined && { pointer }) });
      } else tell({ kind: 'refusal', id, code: 'io', message: `the log cannot be read: ${message}` });
    } finally {
      this.#memory.answered();
      this.#database.buffers.answered();
    }
  }

  /** @param machines the recorders of the cluster that are heard now. */
  hear(machines: readonly string[]): void {
    const since = nowUs() - silenceUs;
    this.#site?.hear(machines);
    for (const [machine, { life }] of this.#database.others) {
      void (machines.includes(machine) ? life.heard() : life.silent(since));
    }
  }

  /** Commits the entries that have arrived. The database is closed by its owner. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#database.hold.release();
    await Promise.all([this.#streams?.close(), this.#site?.close()]);
    await this.#database.life.heartbeat(nowUs()).catch(() => {});
    await this.#bus.close();
  }

  /** Commits before a query, so that its answer is up to date. If that fails, it shows what was committed before. */
  async #find(question: LogQuestion): Promise<LogAnswer<LogTopic>> {
    const { reads } = this.#database;
    switch (question.topic) {
      case 'readDownload':
        return this.#downloads.read(question.asked.download);
      case 'closeDownload':
        await this.#downloads.close(question.asked.download);
        return undefined;
      case 'checkpoint': {
        const { hold } = this.#database;
        // While it is held, nothing is stored.
        const isComplete =
          hold.isHeld || (await this.#streams?.arrive(projectedStreams, checkpointPatienceMs)) === true;
        await hold.checkpoint(question.asked.holdMs);
        return { isComplete };
      }
      case 'fileVersion':
        if (question.asked.commits) await this.#arrive(projectedStreams);
        return this.#database.version;
    }
    await this.#arrive(streamsOf[question.topic]);
    if (question.topic === 'openExport') {
      const { filter, format } = question.asked;
      // May take minutes, so it must not hold the read lock: a checkpoint waits for every reader.
      return this.#downloads.open(() => LogExport.open(this.#readPage, filter, format));
    }
    // It writes, and retention, which it may wait for, waits for readers.
    if (question.topic === 'compare') return this.#machines.compare(question.asked);
    return reads.read(() => this.#ask(question));
  }

  /** What the bus has now is stored, and of other machines what has arrived here. */
  async #arrive(streams: readonly ProjectedStream[]): Promise<void> {
    await Promise.all([this.#streams?.arrive(streams), this.#site?.commit(streams)]);
  }

  readonly #readPage: ReadPage = (filter, oldestFirst) =>
    this.#database.reads.read(() => this.#machines.page(filter, oldestFirst));

  async #ask(question: Exclude<LogQuestion, { topic: UnlockedTopic }>): Promise<LogAnswer<LogTopic>> {
    switch (question.topic) {
      case 'page':
        return this.#machines.page(question.asked.filter, question.asked.oldestFirst);
      case 'stats':
        return this.#machines.stats(question.asked);
      case 'recordings':
        return this.#database.catalogue.list(question.asked);
      case 'siteRecordings':
        return this.#machines.recordings(question.asked);
      case 'siteTenures':
        return this.#machines.tenures(question.asked);
      case 'cataloguePage':
        return this.#database.catalogue.page(question.asked);
      case 'uncompared':
        return this.#machines.uncompared();
      case 'usage':
        return this.#database.usage.answer(question.asked);
      case 'timeline':
        return this.#machines.timeline(question.asked);
      case 'events':
        return this.#machines.events(question.asked);
      case 'occurrences':
        return this.#machines.occurrences(question.asked);
      case 'totals':
        return this.#totals.read();
    }
  }

  /** Nobody is heard yet, and nobody was since the recorder before this one last ran. @param until Unix microseconds. */
  async #silence(until: number): Promise<void> {
    for (const { life } of this.#database.others.values()) await life.silent(until);
  }

  /**
   * The other machines are sent until when this one's recorder ran before its monitors' last kills, which only its own table knows.
   * Each time, because the last time may have been cut short by the next kill; they recognise what they have.
   */
  async #repeatKills(): Promise<void> {
    if (!this.#surroundings.beginning.site) return;
    this.#kills.attach(this.#bus);
    for (const { monitorID, time, reason } of await this.#database.states.lastKills(maxKills)) {
      const status = { monitorID, state: 'stopped', reason, recording: false, since: time } as const;
      this.#kills.add(history, [monitorID], status);
    }
  }

  async #read(): Promise<void> {
    const { tell, fail, beginning } = this.#surroundings;
    const { machine, site } = beginning;
    const listeners: ProjectionListeners = {
      entry: (entry) => {
        this.#totals.addEntry(entry);
        return this.dispatch.add({ ...entry, machine });
      },
      event: (event) => this.#totals.addEvent(event),
      report: (report) => this.#totals.addReport(report),
      object: (object) => this.#totals.addObject(object),
    };
    const failures: StreamFailures = {
      report: ({ code, message }) => tell({ kind: 'problem', code, message }),
      giveUp: fail,
    };
    const origin = { bus: this.#bus, isOfSite: site !== undefined };
    this.#streams = await LogProjections.open(this.#database, origin, listeners, failures);
    if (!site) return;
    const others = [...this.#database.others];
    this.#site = new SiteStreams({
      ...{ address: site.address, failures },
      machines: new Map(others.filter(([other]) => site.others.includes(other))),
      former: others.flatMap(([other, log]) => (site.others.includes(other) ? [] : log)),
      onRenamed: async (former, of) => {
        await this.#database.rename(former, of);
        fail(new Error(`${of} had another name: its log is opened under the new one`));
      },
      entry: (entry, of) => this.dispatch.add({ ...entry, machine: of }),
    });
  }

  async #prune(): Promise<void> {
    const { file, maxAgeDays, maxSizeMegabytes } = this.#surroundings.beginning;
    const ageMs = await lastAgeTime(dirname(file), Date.now());
    const oldest = Math.floor((ageMs - maxAgeDays * 24 * hourMs) * 1000);
    // A failure, on a full disk for example, is retried in an hour.
    await this.#database.retention.prune(oldest, maxSizeMegabytes * 1e6).catch(() => {});
    // What is stored leaves some as well.
    await this.#database.buffers.free();
  }

  async #tend(): Promise<void> {
    const { maxSizeMegabytes } = this.#surroundings.beginning;
    for (const { life } of this.#database.others.values()) await life.noteHearing();
    await this.#database.retention.tend(maxSizeMegabytes * 1e6).catch(() => {});
  }
}
