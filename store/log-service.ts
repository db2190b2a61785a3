import type { Bus } from '../bus/connection.ts';
import type { DetectionEvent, LogEntry } from '../bus/messages.ts';
import { events, logs } from '../bus/subjects.ts';
import { nowMicroseconds } from '../bus/time.ts';
import { StoreError } from './errors.ts';
import { LogDispatch } from './log-dispatch.ts';
import { LogDownloads } from './log-downloads.ts';
import type { LogStoreError } from './log-error.ts';
import { LogExport, type ReadPage } from './log-export.ts';
import type { Answer, Beginning, FromThread, Question, Topic } from './log-messages.ts';
import type { LogTable } from './log-table.ts';
import { LogTotals } from './log-totals.ts';
import type { Position } from './position.ts';
import { Projection } from './projection.ts';
import { eventRow, logRow, type StoredEvent } from './rows.ts';
import { StreamReader } from './stream-reader.ts';

const hour = 60 * 60 * 1000;

interface Surroundings {
  readonly beginning: Beginning;
  tell(message: FromThread): void;
  /** Ends the thread. */
  fail(error: Error): void;
}

/** What the log store's thread does: reads the streams into the tables, answers questions, posts what is new. */
export class LogService {
  readonly #table: LogTable;
  readonly #bus: Bus;
  readonly #surroundings: Surroundings;
  readonly #logs: StreamReader<LogEntry, LogEntry>;
  readonly #events: StreamReader<DetectionEvent, StoredEvent>;
  /** The questions that are being answered. */
  readonly #asked = new Map<number, AbortController>();
  readonly #downloads = new LogDownloads();
  readonly #totals = new LogTotals();
  /** To those who follow. */
  readonly dispatch: LogDispatch;
  #pruning: NodeJS.Timeout | undefined;

  private constructor(
    table: LogTable,
    positions: { logs: Position; events: Position },
    bus: Bus,
    surroundings: Surroundings,
  ) {
    this.#table = table;
    this.#bus = bus;
    this.#surroundings = surroundings;
    this.dispatch = new LogDispatch(surroundings.beginning.following, (entries) =>
      surroundings.tell({ kind: 'entries', entries }),
    );
    const failures = {
      report: ({ code, message }: LogStoreError) => surroundings.tell({ kind: 'problem', code, message }),
      giveUp: surroundings.fail,
    };
    const logProjection = new Projection<LogEntry, LogEntry>(positions.logs, {
      name: 'log entries',
      append: (entries, position) => table.writer.append(entries, position),
      row: logRow,
      publish: (entry) => {
        this.#totals.addEntry(entry);
        return this.dispatch.add(entry);
      },
      ...failures,
    });
    this.#logs = new StreamReader({ bus, stream: 'LOGS', channel: logs }, logProjection);
    const eventProjection = new Projection<DetectionEvent, StoredEvent>(positions.events, {
      name: 'events',
      append: (some, position) => table.writer.appendEvents(some, position),
      row: eventRow,
      publish: (event) => this.#totals.addEvent(event),
      ...failures,
    });
    this.#events = new StreamReader({ bus, stream: 'EVENTS', channel: events }, eventProjection);
  }

  /** @throws when the bus does not answer. */
  static async start(table: LogTable, bus: Bus, surroundings: Surroundings): Promise<LogService> {
    const positions = { logs: await table.writer.position(), events: await table.writer.eventPosition() };
    const service = new LogService(table, positions, bus, surroundings);
    await service.#logs.start();
    await service.#events.start();
    void table.prepare().catch(() => {});
    service.#pruning = setInterval(() => void service.#prune(), hour);
    void service.#prune();
    return service;
  }

  async answer(question: Question): Promise<void> {
    const { tell } = this.#surroundings;
    const { id } = question;
    const aborter = new AbortController();
    this.#asked.set(id, aborter);
    try {
      tell({ kind: 'answer', id, answer: await this.#find(question, aborter.signal) });
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof StoreError) {
        const { code, pointer } = error;
        tell({ kind: 'refusal', id, code, message, ...(pointer !== undefined && { pointer }) });
      } else tell({ kind: 'refusal', id, code: 'io', message: `the log cannot be read: ${message}` });
    } finally {
      this.#asked.delete(id);
    }
  }

  cancel(id: number): void {
    this.#asked.get(id)?.abort();
  }

  /** Commits what has arrived; the table is left to its owner. */
  async close(): Promise<void> {
    clearInterval(this.#pruning);
    await Promise.all([this.#logs.close(), this.#events.close()]);
    await this.#bus.close();
  }

  /** What an answer shows has been committed. Should that fail now, it shows what was committed before. */
  async #find(question: Question, signal: AbortSignal): Promise<Answer<Topic>> {
    switch (question.topic) {
      case 'readDownload':
        return this.#downloads.read(question.asked.download, signal);
      case 'closeDownload':
        await this.#downloads.close(question.asked.download);
        return undefined;
    }
    await this.#logs.arrive();
    if (['sql', 'openSql', 'totals'].includes(question.topic)) await this.#events.arrive();
    switch (question.topic) {
      case 'page':
        return this.#table.pages.read(question.asked.filter, question.asked.oldestFirst);
      case 'stats':
        return this.#table.stats.count(question.asked);
      case 'openExport': {
        const { filter, format } = question.asked;
        const read: ReadPage = (page, oldestFirst) => this.#table.pages.read(page, oldestFirst);
        return this.#downloads.open(() => LogExport.open(read, filter, format));
      }
      case 'openSql': {
        const { sql, format } = question.asked;
        return this.#downloads.open(() => this.#table.sqlStreams.open(sql, format, signal));
      }
      case 'totals':
        return this.#totals.read();
      case 'sql':
        return this.#table.sql.run(question.asked.sql, signal);
    }
  }

  async #prune(): Promise<void> {
    const { maxAgeDays, maxSizeMegabytes } = this.#surroundings.beginning;
    const oldest = Math.floor(nowMicroseconds() - maxAgeDays * 24 * hour * 1000);
    // What fails now, on a full disk perhaps, is due again in an hour.
    await this.#table.retention.prune(oldest, maxSizeMegabytes * 1e6).catch(() => {});
  }
}
