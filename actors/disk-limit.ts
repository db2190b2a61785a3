import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { nowUs } from '../bus/base/time.ts';
import type { Log } from '../bus/log.ts';
import {
  type PruneResult,
  RecordingRetention,
  type RetentionOptions,
} from '../store/recordings/retention/recording-retention.ts';
import { type DiskState, freeBytesOf } from '../store/recordings/retention/retention-rules.ts';
import { reportStorage, type StorageReport } from '../store/recordings/retention/storage-report.ts';

/** In this time, four cameras write at most one gigabyte. */
const interval = 5 * 60_000;

export interface DiskLimit {
  /** @throws {StoreError} `io`; errors of the file system. */
  report(): Promise<StorageReport>;
  /** Ends it and waits for the current check. */
  end(): Promise<void>;
}

/**
 * Deletes recordings before the catalogue is open if the disk is so full that the databases may not open. They are then
 * found in their folder.
 */
export async function freeSpace(options: Omit<RetentionOptions, 'catalogue'>, log: Log): Promise<void> {
  const recordingsDir = join(options.storageDir, 'recordings');
  try {
    await mkdir(recordingsDir, { recursive: true, mode: 0o750 });
    const { bavail, bsize, blocks } = await statfs(recordingsDir);
    if (bavail * bsize >= freeBytesOf(options.limits, blocks * bsize)) return;
    const catalogue = { usage: async () => ({}), recordings: async () => [] };
    const pruned = await new RecordingRetention({ ...options, catalogue }).prune(Date.now());
    report(pruned, log);
    reportDeleted(pruned, log);
  } catch (error) {
    log.error(`recordings cannot be listed: ${(error as Error).message}`);
  }
}

/** Enforces the limits of recordings: now, and every five minutes. */
export function enforceDiskLimit(options: RetentionOptions, log: Log): DiskLimit {
  const retention = new RecordingRetention(options);
  const ending = new AbortController();
  let state: DiskState = 'room';
  let isCrowded = false;
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, interval);
  return {
    async report() {
      const contents = await retention.survey(Date.now());
      return reportStorage(contents, { ...options, state }, nowUs());
    },
    end() {
      clearInterval(timer);
      ending.abort();
      return looking;
    },
  };

  async function look(): Promise<void> {
    if (ending.signal.aborted) return;
    try {
      const pruned = await retention.prune(Date.now(), ending.signal);
      if (pruned.state !== state) report(pruned, log);
      state = pruned.state;
      if (pruned.protectedBytes > 0 && !isCrowded) {
        log.warning(
          `protected recordings take ${gigabytes(pruned.protectedBytes)} GB of max_disk_usage: others are deleted early`,
        );
      }
      isCrowded = pruned.protectedBytes > 0;
      reportDeleted(pruned, log);
    } catch (error) {
      if (!ending.signal.aborted) log.error(`recordings cannot be listed: ${(error as Error).message}`);
    }
  }
}

function reportDeleted({ state, files, bytes }: PruneResult, log: Log): void {
  if (files === 0) return;
  const why = state === 'room' ? 'recordings reached their limits' : 'the disk is full';
  log.info(`${why}: deleted the oldest ones, ${Math.ceil(bytes / 1e6)} MB`);
}

/** Logs a change of the disk's state, and the use of its space. */
function report({ state, disk: { size, others, recordings } }: PruneResult, log: Log): void {
  const space = `other files take ${gigabytes(others)} of ${gigabytes(size)} GB, recordings ${gigabytes(recordings)} GB`;
  if (state === 'room') log.info(`the disk has enough space again: ${space}`);
  else if (state === 'full') log.error(`the disk is full, the oldest recordings are deleted: ${space}`);
  else if (state === 'taken')
    log.error(
      `the disk is full, and other files took the space freed by deleted recordings: ${space}; deleting pauses`,
    );
  else
    log.error(
      `the disk is full, and only protected recordings and the newest hours of each monitor are left: ${space}; free some space, or recording stops`,
    );
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1);
