import { nowUs } from '../../../bus/base/time.ts';
import {
  type DeliveryReport,
  type DetectedObject,
  type DetectionEvent,
  type LogEntry,
  type MonitorState,
  type MonitorStatus,
  type RecordingReport,
  type Tenure,
  tenureRank,
} from '../../../bus/messages.ts';

/** How messages of the streams become rows: see {@link Projection}. */

/** Microseconds that another machine's clock may be ahead. */
const tolerance = 60_000_000;

/** @param before the time of the entry before it: times only grow. */
export function logRow(message: LogEntry, before: number): LogEntry {
  // One wrong clock must not push the time of all later entries ahead.
  const sane = message.time <= nowUs() + tolerance;
  const time = sane ? Math.max(message.time, before + 1) : before + 1;
  const { level, src, monitorID } = message;
  return { level, time, msg: wellFormed(message.msg), src, monitorID };
}

/** An event as it is stored: a row for each detection. */
export interface StoredEvent extends DetectionEvent {
  /** When the bus took the event. */
  readonly storedAt: number;
}

export function eventRow(message: DetectionEvent, _before: number, storedAt: number): StoredEvent {
  const { id, time, startedUs, monitorID, source, detections } = message;
  return {
    id: wellFormed(id),
    time,
    ...(startedUs !== undefined && { startedUs }),
    storedAt,
    monitorID,
    monitorName: wellFormed(message.monitorName),
    source,
    detections: detections.map((one) => ({ ...one, label: wellFormed(one.label) })),
  };
}

/** Events that were confirmed together. Times are Unix times in microseconds. */
export interface StoredReport {
  readonly time: number;
  readonly deliveries: readonly {
    readonly id: string;
    readonly monitorID: string;
    readonly source: string;
    /** When the picture was taken. */
    readonly time: number;
    /** When the bus took the event. */
    readonly storedAt: number;
    readonly deliveredAt: number;
  }[];
}

export function deliveryRow(message: DeliveryReport, _before: number, storedAt: number): StoredReport {
  return {
    time: storedAt,
    deliveries: message.deliveries.map(({ eventID, ...rest }) => ({ ...rest, id: wellFormed(eventID) })),
  };
}

/** An object that has appeared, or, with an end, one that is gone. */
export interface StoredObject extends Omit<DetectedObject, 'start' | 'end'> {
  /** When it appeared: Unix time in microseconds. */
  readonly time: number;
  readonly endTime: number | null;
}

export function objectRow(message: DetectedObject): StoredObject {
  const { id, monitorID, label, start, end, score, eventID } = message;
  return {
    id: wellFormed(id),
    monitorID,
    label: wellFormed(label),
    score,
    eventID: wellFormed(eventID),
    time: start,
    endTime: end,
  };
}

/** The state of a recording on disk at one moment. */
export interface StoredRecording extends Omit<RecordingReport, 'start' | 'end'> {
  /** When its first frame was taken: Unix time in microseconds. */
  readonly time: number;
  readonly endTime: number;
  /** When the bus took the report; 0 of one that was found in the folder, which may be long after it was recorded. */
  readonly reportedAt: number;
}

export function recordingRow(message: RecordingReport, _before: number, storedAt: number): StoredRecording {
  const { start, end, reason, ...rest } = message;
  const reportedAt = message.state === 'found' ? 0 : storedAt;
  return { ...rest, time: start, endTime: end, reason: wellFormed(reason), reportedAt };
}

/** A status as it was published; not each of them is a change. */
export interface StoredStatus {
  /** When the bus took it: Unix time in microseconds. */
  readonly time: number;
  readonly since: number;
  readonly monitorID: string;
  readonly state: MonitorState;
  readonly reason: string;
}

export function statusRow(message: MonitorStatus, _before: number, storedAt: number): StoredStatus {
  const { monitorID, state, reason, since } = message;
  return { time: storedAt, since, monitorID, state, reason: wellFormed(reason) };
}

/** How a machine records a monitor from a time on. */
export interface StoredTenure {
  /** Unix time in microseconds. */
  readonly time: number;
  readonly monitorID: string;
  /** Of two machines that record it, what the one with the higher rank sees is shown; below 0: it does not record it. */
  readonly rank: number;
}

export function tenureRow({ monitorID, time, token, provisional }: Tenure): StoredTenure {
  return { monitorID, time, rank: tenureRank({ token, provisional }) };
}

/** Half a surrogate pair cannot be stored as UTF-8. */
function wellFormed(text: string): string {
  return /\p{Cs}/u.test(text) ? Buffer.from(text).toString() : text;
}
