import type { LogEntry } from '../../bus/messages.ts';

/** Exactly the fields that clients are promised, in their order. */
export function publicEntry({ level, time, msg, src, monitorID }: LogEntry): LogEntry {
  return { level, time, msg, src, monitorID };
}
