import { type DiskLimits, type DiskState, freeBytesOf, type RetentionRules } from './retention-rules.ts';
import type { MonitorStorage, StorageReport } from './storage-figures.ts';
import type { StorageContents } from './storage-survey.ts';

const dayUs = 24 * 60 * 60 * 1_000_000;
/** A shorter time says nothing about a day: its end may be a fragment that is not written yet. */
const minSpanUs = 10 * 60 * 1_000_000;

/** @param now Unix time in microseconds. */
export function reportStorage(
  contents: StorageContents,
  rules: {
    readonly limits: DiskLimits;
    readonly rulesOf: (monitorID: string) => RetentionRules;
    readonly state: DiskState;
  },
  now: number,
): StorageReport {
  const { recordingBytes, snapshotBytes, logBytes, busBytes, disk, byMonitor, protectedByMonitor } = contents;
  const { limits, rulesOf, state } = rules;
  const { maxBytes } = limits;
  const rates = ratesOf(contents, now);
  const rate = [...rates.values()].reduce((all, each) => all + each, 0);
  const kept = recordingBytes + snapshotBytes + logBytes + busBytes;
  const reserve = freeBytesOf(limits, disk.size);
  const [limitRoom, diskRoom] = [maxBytes - kept, disk.free - reserve];
  const room = Math.min(limitRoom, diskRoom);
  const daysLeft = rate > 0 ? days(room / rate) : null;
  const isFilling = diskRoom < limitRoom && diskRoom < Math.max(rate, reserve);
  const own = footageOf(contents);
  const monitors = [...byMonitor].map(([id, bytes]): MonitorStorage => {
    const { recordings = 0, oldest = null } = own.get(id) ?? {};
    const bytesPerDay = rates.get(id) ?? 0;
    const limit = rulesOf(id).maxBytes;
    const until = limit !== undefined && bytesPerDay > 0 ? days((limit - bytes) / bytesPerDay) : null;
    return {
      id,
      recordings,
      bytes,
      protectedBytes: protectedByMonitor.get(id) ?? 0,
      oldest,
      bytesPerDay: Math.round(bytesPerDay),
      daysLeft: until === null ? daysLeft : Math.min(until, daysLeft ?? until),
    };
  });
  return {
    maxBytes,
    ...{ recordingBytes, snapshotBytes, logBytes, busBytes, daysLeft, isFilling },
    disk: { state, ...disk },
    protectedBytes: [...protectedByMonitor.values()].reduce((all, each) => all + each, 0),
    monitors: monitors.sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

/** By monitor: the number of its recordings, and when the oldest began. */
function footageOf({ days: usage, unlisted }: StorageContents) {
  const found = new Map<string, { recordings: number; oldest: number }>();
  const add = (id: string, recordings: number, start: number) => {
    const known = found.get(id) ?? { recordings: 0, oldest: start };
    found.set(id, { recordings: known.recordings + recordings, oldest: Math.min(known.oldest, start) });
  };
  for (const { monitorID, recordings, start } of usage) add(monitorID, recordings, start);
  for (const { monitorID, startMs } of unlisted) add(monitorID, 1, startMs * 1000);
  return found;
}

/**
 * Bytes per day by monitor, of the last day, or of the time since its first recording if that is shorter: none of a
 * monitor that has just begun.
 */
function ratesOf({ days: usage }: StorageContents, now: number): Map<string, number> {
  const bytes = new Map<string, number>();
  const began = new Map<string, number>();
  for (const { monitorID, recentBytes, start } of usage) {
    bytes.set(monitorID, (bytes.get(monitorID) ?? 0) + recentBytes);
    began.set(monitorID, Math.min(began.get(monitorID) ?? now, start));
  }
  const spanOf = (id: string) => Math.min(dayUs, now - (began.get(id) ?? now));
  const known = [...bytes].filter(([id]) => spanOf(id) >= minSpanUs);
  return new Map(known.map(([id, count]) => [id, (count * dayUs) / spanOf(id)]));
}

const days = (count: number) => Math.max(0, Math.round(count * 10) / 10);
