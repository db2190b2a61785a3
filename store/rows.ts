import type { DetectionEvent, LogEntry } from '../bus/messages.ts';
import { nowMicroseconds, parseMicroseconds } from '../bus/time.ts';

/** How messages of the streams become rows: see {@link Projection}. */

/** Microseconds that another machine's clock may be ahead. */
const tolerance = 60_000_000;

/** @param before the time of the entry before it: times only grow. */
export function logRow(message: LogEntry, before: number): LogEntry {
  // One wrong clock must not push the time of all later entries ahead.
  const sane = message.time <= nowMicroseconds() + tolerance;
  const time = sane ? Math.max(message.time, before + 1) : before + 1;
  const { level, src, monitorID } = message;
  return { level, time, msg: wellFormed(message.msg), src, monitorID };
}

/** An event as it is stored: a row for each detection. */
export interface StoredEvent extends Omit<DetectionEvent, 'time'> {
  /** When the picture was taken: Unix time in microseconds. */
  readonly time: number;
  /** When the bus took the event. */
  readonly storedAt: number;
}

export function eventRow(message: DetectionEvent, _before: number, storedAt: number): StoredEvent {
  const { id, monitorID, source, detections } = message;
  const time = parseMicroseconds(message.time);
  return {
    id: wellFormed(id),
    // The 30th of February has the right shape, too.
    time: Number.isNaN(time) ? storedAt : time,
    storedAt,
    monitorID,
    monitorName: wellFormed(message.monitorName),
    source,
    detections: detections.map((one) => ({ ...one, label: wellFormed(one.label) })),
  };
}

/** Half a surrogate pair cannot be stored as UTF-8. */
function wellFormed(text: string): string {
  return /\p{Cs}/u.test(text) ? Buffer.from(text).toString() : text;
}
