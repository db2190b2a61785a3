import type { MachineEntry, PublicEntry } from '../../store/log/log-store.ts';

/** The fields of an entry in the documented order. @param isShared whether there are several machines */
export function publicEntry(entry: MachineEntry, isShared: boolean): PublicEntry {
  const { level, time, msg, src, monitorID, machine } = entry;
  return { level, time, msg, src, monitorID, ...(isShared && { machine }) };
}
