import type { LogEntry } from '../../bus/messages.ts';

/** The fields of an entry that the API documents, in the documented order. */
export function publicEntry({ level, time, msg, src, monitorID }: LogEntry): LogEntry {
  return { level, time, msg, src, monitorID };
}
