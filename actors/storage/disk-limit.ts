import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { nowUs } from '../../bus/base/time.ts';
import type { Log } from '../../bus/log.ts';
import {
  RecordingRetention,
  type RetentionOptions,
} from '../../store/recordings/retention/recording-retention.ts';
import { type DiskState, freeBytesOf } from '../../store/recordings/retention/retention-rules.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';
import { reportStorage } from '../../store/recordings/retention/storage-report.ts';
import type { StorageContents } from '../../store/recordings/retention/storage-survey.ts';
import { DiskReports } from './disk-reports.ts';

/** In this time, four cameras write at most one gigabyte. */
const intervalMs = 5 * 60_000;
/** After the web server serves: the first pages are read meanwhile, and a large archive takes a second to be looked at. */
const firstCheckMs = 1000;
/** How often the free space alone is looked at: somebody else may fill the disk faster. */
const glanceIntervalMs = 10_000;

export interface DiskLimitOptions extends RetentionOptions {
  /** Gets what each check found. */
  readonly onChecked: (contents: StorageContents) => void;
}

export interface DiskLimit {
  /** Has the first check begin in a moment. */
  begin(): void;
  /** @param maxAgeMs how old it may be; 0 if left out. @throws {StoreError} `io`; errors of the file system. */
  report(maxAgeMs?: number): Promise<StorageReport>;
  /** As it was last looked at, at the last check if nobody asked since; undefined before the first one. */
  lastReport(): StorageReport | undefined;
  /** Ends it and waits for the current check. */
  end(): Promise<void>;
}

/** Of what must stay free. A disk that recordings fill has more: the checks see to that, which know the catalogue. */
const [startShare, glanceShare] = [1 / 4, 1 / 2];

/**
 * Deletes recordings before the catalogue is open if the disk is so full that the databases may not open. They are then
 * found in their folder, which takes many seconds in a large archive: no camera is recorded meanwhile.
 */
export async function freeSpace(options: Omit<RetentionOptions, 'catalogue'>, log: Log): Promise<void> {
  const recordingsDir = join(options.storageDir, 'recordings');
  try {
    await mkdir(recordingsDir, { recursive: true, mode: 0o750 });
    if ((await missingBytes(options, startShare)) <= 0) return;
    new DiskReports(log).deleted(await withoutCatalogue(options).prune(Date.now()));
  } catch (error) {
    log.error(`recordings cannot be listed: ${(error as Error).message}`);
  }
}

/**
 * Enforces the limits of recordings: once it has begun, every five minutes, and when the disk is suddenly full; then by their
 * folder alone if the catalogue cannot be asked.
 */
export function enforceDiskLimit(options: DiskLimitOptions, log: Log): DiskLimit {
  const retention = new RecordingRetention(options);
  /** Goes by the folder alone, as long as checks fail: it is kept because it notices when deleting does not help. */
  let blind: RecordingRetention | undefined;
  const reports = new DiskReports(log);
  const ending = new AbortController();
  let state: DiskState = 'room';
  let known: { readonly report: StorageReport; readonly at: number } | undefined;
  let checking = Promise.resolve();
  const checkSoon = () => {
    checking = checking.then(check);
  };
  const timers: NodeJS.Timeout[] = [
    setInterval(checkSoon, intervalMs),
    setInterval(() => {
      checking = checking.then(glance);
    }, glanceIntervalMs),
  ];
  return {
    begin() {
      timers.push(setTimeout(checkSoon, firstCheckMs));
    },
    async report(maxAgeMs = 0) {
      if (known && performance.now() - known.at < maxAgeMs) return known.report;
      return remember(await retention.survey(Date.now()));
    },
    lastReport: () => known?.report,
    end() {
      for (const timer of timers) clearTimeout(timer);
      ending.abort();
      return checking;
    },
  };

  async function check(): Promise<void> {
    if (ending.signal.aborted) return;
    try {
      const pruned = await retention.prune(Date.now(), ending.signal);
      state = pruned.state;
      blind = undefined;
      reports.checked(pruned, remember(pruned.contents));
      options.onChecked(pruned.contents);
    } catch (error) {
      if (ending.signal.aborted) return;
      reports.failed(error as Error);
      await makeRoom().catch((failure: Error) => reports.failed(failure));
    }
  }

  /** On a full disk the catalogue may not open again before something is deleted. */
  async function makeRoom(): Promise<void> {
    if ((await missingBytes(options, glanceShare)) <= 0) return;
    blind ??= withoutCatalogue(options);
    const pruned = await blind.prune(Date.now(), ending.signal);
    state = pruned.state;
    reports.deleted(pruned);
  }

  /** In the other states deleting does not help, and the next check is soon enough. */
  async function glance(): Promise<void> {
    if (ending.signal.aborted || (state !== 'room' && state !== 'full')) return;
    const missing = await missingBytes(options, glanceShare).catch(() => 0);
    if (missing > 0) await check();
  }

  function remember(contents: StorageContents): StorageReport {
    known = { report: reportStorage(contents, { ...options, state }, nowUs()), at: performance.now() };
    return known.report;
  }
}

/** It finds recordings in their folder. Snapshots of their events, which the catalogue knows, stay until they are too old. */
const withoutCatalogue = (options: Omit<RetentionOptions, 'catalogue'>): RecordingRetention =>
  new RecordingRetention({
    ...options,
    catalogue: { usage: async () => ({}), recordings: async () => [] },
    removeRest: async () => {},
  });

/** Bytes that this part of the space that must stay free lacks; negative if there is more. */
async function missingBytes(
  { storageDir, limits }: Pick<RetentionOptions, 'storageDir' | 'limits'>,
  part: number,
) {
  const { bavail, bsize, blocks } = await statfs(join(storageDir, 'recordings'));
  return part * freeBytesOf(limits, blocks * bsize) - bavail * bsize;
}
