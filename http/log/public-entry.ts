import type { MachineEntry } from '../../store/log/log-store.ts';

/** The fields of an entry that the API documents, in the documented order. */
export function publicEntry({ level, time, msg, src, monitorID, machine }: MachineEntry): MachineEntry {
  return { level, time, msg, src, monitorID, machine };
}
