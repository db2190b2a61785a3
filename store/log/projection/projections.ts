import type { Channel } from '../../../bus/channel.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { deliveries, events, history, logs, objects, recordings, tenures } from '../../../bus/subjects.ts';
import type { LogTimes } from '../schema/log-times.ts';
import type { DetectionWriter } from './detection-writer.ts';
import type { LogWriter } from './log-writer.ts';
import type { Position, ProjectedStream } from './position.ts';
import type { Positions } from './positions.ts';
import { Projection, type ProjectionOptions, usualCommitDelayMs } from './projection.ts';
import {
  deliveryRow,
  eventRow,
  logRow,
  objectRow,
  recordingRow,
  type StoredEvent,
  type StoredObject,
  type StoredRecording,
  type StoredReport,
  type StoredStatus,
  statusRow,
  tenureRow,
} from './rows.ts';
import { StreamReader } from './stream-reader.ts';

/** Called with each message in order, before it is stored. */
export interface ProjectionListeners {
  entry(entry: LogEntry): Promise<void> | void;
  event?(event: StoredEvent): void;
  report?(report: StoredReport): void;
  object?(object: StoredObject): void;
}

/** Where the rows go. */
export interface ProjectionWriters {
  readonly positions: Positions;
  readonly writer: LogWriter;
  readonly detections: DetectionWriter;
  readonly states: { append(statuses: readonly StoredStatus[], position: Position): Promise<void> };
  readonly recordings: { append(reports: readonly StoredRecording[], position: Position): Promise<void> };
  repairTimes(times: LogTimes): Promise<number>;
}

/** Where the streams are. */
export interface StreamsOrigin {
  readonly bus: Bus;
  /** Of another machine's streams, which are read whenever it is there, and its name. */
  readonly domain?: string;
  readonly machine?: string;
  /** Whether the machine is one of several. */
  readonly isOfSite: boolean;
}

export type StreamFailures = Pick<ProjectionOptions<never, never>, 'report' | 'giveUp'>;
type Reader = Pick<StreamReader<never, never>, 'start' | 'arrive' | 'catchUp' | 'close'>;

/** A recording that grows is reported every 5 s, and a commit costs as much for one of them as for a hundred. */
const growingCommitDelayMs = 10_000;
/** So long a recording that has got its true times waits for its events, which move along, in milliseconds. */
const movedPatienceMs = 2000;

/** How one stream becomes rows. */
interface ProjectionSpec<Message, Row> extends Omit<ProjectionOptions<Message, Row>, keyof StreamFailures> {
  readonly stream: ProjectedStream;
  readonly channel: Channel<readonly string[], Message>;
}

/** The streams that are read into the tables. */
export class LogProjections {
  readonly #readers: ReadonlyMap<ProjectedStream, Reader>;

  private constructor(readers: ReadonlyMap<ProjectedStream, Reader>) {
    this.#readers = readers;
  }

  /** @throws when the bus does not answer. */
  static async open(
    writers: ProjectionWriters,
    { bus, domain, machine, isOfSite }: StreamsOrigin,
    listeners: ProjectionListeners,
    failures: StreamFailures,
  ): Promise<LogProjections> {
    const { positions, writer, detections, states, recordings: recordingWriter } = writers;
    const reader = async <Message, Row extends { readonly time: number }>({
      stream,
      channel,
      ...options
    }: ProjectionSpec<Message, Row>): Promise<[ProjectedStream, Reader]> => {
      const name = machine === undefined ? options.name : `${options.name} of ${machine}`;
      const projection = new Projection(await positions.read(stream), {
        ...options,
        ...failures,
        name,
        isDistant: machine !== undefined,
      });
      return [stream, new StreamReader({ bus, stream, channel, domain }, projection)];
    };
    const ofEvents = await reader({
      ...{ stream: 'EVENTS', channel: events, name: 'events', row: eventRow },
      append: (rows, position) => writer.appendEvents(rows, position),
      ...(listeners.event && { publish: listeners.event }),
    });
    const readers = await Promise.all([
      ofEvents,
      reader({
        ...{ stream: 'LOGS', channel: logs, name: 'log entries', row: logRow },
        append: (rows, position) => writer.append(rows, position),
        repairTimes: (times) => writers.repairTimes(times),
        publish: listeners.entry,
      }),
      reader({
        ...{ stream: 'DELIVERIES', channel: deliveries, name: 'delivery reports', row: deliveryRow },
        append: (rows, position) => detections.appendDeliveries(rows, position),
        ...(listeners.report && { publish: listeners.report }),
      }),
      reader({
        ...{ stream: 'OBJECTS', channel: objects, name: 'objects', row: objectRow },
        append: (rows, position) => detections.appendObjects(rows, position),
        ...(listeners.object && { publish: listeners.object }),
      }),
      reader({
        ...{ stream: 'HISTORY', channel: history, name: 'states of monitors', row: statusRow },
        append: (rows, position) => states.append(rows, position),
      }),
      reader({
        ...{ stream: 'RECORDINGS', channel: recordings, name: 'reports of recordings', row: recordingRow },
        async append(rows, position) {
          const areMoved = rows.some(({ formerID }) => formerID !== undefined);
          if (areMoved) await ofEvents[1].catchUp(movedPatienceMs);
          await recordingWriter.append(rows, position);
        },
        commitDelayMs: ({ state }) => (state === 'growing' ? growingCommitDelayMs : usualCommitDelayMs),
      }),
      ...(isOfSite
        ? [
            reader({
              ...{ stream: 'TENURES', channel: tenures, name: 'tenures of monitors', row: tenureRow },
              append: (rows, position) => detections.appendTenures(rows, position),
            }),
          ]
        : []),
    ]);
    for (const [, each] of readers) await each.start();
    return new LogProjections(new Map(readers));
  }

  /**
   * Waits until what is on the bus now in these streams has been stored, for a moment at most.
   *
   * @returns whether all of it was stored.
   */
  async arrive(streams: readonly ProjectedStream[], patienceMs?: number): Promise<boolean> {
    const readers = streams.flatMap((stream) => this.#readers.get(stream) ?? []);
    const arrived = await Promise.all(readers.map((reader) => reader.arrive(patienceMs)));
    return arrived.every((isComplete) => isComplete);
  }

  /** Stores what has arrived, and reads no more. */
  async close(): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader.close()));
  }
}
