import type { LogEntry } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { deliveries, events, history, logs, objects } from '../../../bus/subjects.ts';
import type { DetectionWriter } from './detection-writer.ts';
import type { LogWriter } from './log-writer.ts';
import { Projection, type ProjectionOptions } from './projection.ts';
import {
  deliveryRow,
  eventRow,
  logRow,
  objectRow,
  type StoredEvent,
  type StoredObject,
  type StoredReport,
  statusRow,
} from './rows.ts';
import { StreamReader } from './stream-reader.ts';

/** Who hears of what is read, in order, before it is stored. */
export interface ProjectionListeners {
  entry(entry: LogEntry): Promise<void> | void;
  event(event: StoredEvent): void;
  report(report: StoredReport): void;
  object(object: StoredObject): void;
}

/** Where the rows go. */
export interface ProjectionWriters {
  readonly writer: LogWriter;
  readonly insight: DetectionWriter;
}

type Failures = Pick<ProjectionOptions<never, never>, 'report' | 'giveUp'>;
type Reader = Pick<StreamReader<never, never>, 'start' | 'arrive' | 'close'>;

/** The streams that are read into the tables. */
export class LogProjections {
  readonly #logs: Reader;
  readonly #others: readonly Reader[];

  private constructor(entries: Reader, others: readonly Reader[]) {
    this.#logs = entries;
    this.#others = others;
  }

  /** @throws when the bus does not answer. */
  static async open(
    { writer, insight }: ProjectionWriters,
    bus: Bus,
    listeners: ProjectionListeners,
    failures: Failures,
  ): Promise<LogProjections> {
    const read = new LogProjections(
      new StreamReader(
        { bus, stream: 'LOGS', channel: logs },
        new Projection(await insight.position('position'), {
          name: 'log entries',
          append: (entries, position) => writer.append(entries, position),
          row: logRow,
          publish: listeners.entry,
          ...failures,
        }),
      ),
      [
        new StreamReader(
          { bus, stream: 'EVENTS', channel: events },
          new Projection(await insight.position('eventPosition'), {
            name: 'events',
            append: (some, position) => writer.appendEvents(some, position),
            row: eventRow,
            publish: listeners.event,
            ...failures,
          }),
        ),
        new StreamReader(
          { bus, stream: 'DELIVERIES', channel: deliveries },
          new Projection(await insight.position('deliveryPosition'), {
            name: 'delivery reports',
            append: (reports, position) => insight.appendDeliveries(reports, position),
            row: deliveryRow,
            publish: listeners.report,
            ...failures,
          }),
        ),
        new StreamReader(
          { bus, stream: 'OBJECTS', channel: objects },
          new Projection(await insight.position('objectPosition'), {
            name: 'objects',
            append: (some, position) => insight.appendObjects(some, position),
            row: objectRow,
            publish: listeners.object,
            ...failures,
          }),
        ),
        new StreamReader(
          { bus, stream: 'HISTORY', channel: history },
          new Projection(await insight.position('statePosition'), {
            name: 'states of monitors',
            append: (statuses, position) => insight.appendStates(statuses, position),
            row: statusRow,
            publish: () => {},
            ...failures,
          }),
        ),
      ],
    );
    for (const reader of [read.#logs, ...read.#others]) await reader.start();
    return read;
  }

  /** Waits until the entries that are on the bus now have been stored, for a moment at most. */
  entriesArrive(): Promise<void> {
    return this.#logs.arrive();
  }

  /** The same for everything that is on the bus. */
  async allArrive(): Promise<void> {
    await Promise.all([this.#logs, ...this.#others].map((reader) => reader.arrive()));
  }

  /** Stores what has arrived, and reads no more. */
  async close(): Promise<void> {
    await Promise.all([this.#logs, ...this.#others].map((reader) => reader.close()));
  }
}
