import { mkdir } from 'node:fs/promises';
import type { Log } from '../bus/log.ts';
import {
  type DiskLimits,
  type DiskState,
  type PruneResult,
  RecordingRetention,
} from '../store/recordings/recording-retention.ts';

/** In this time, four cameras write at most one gigabyte. */
const interval = 5 * 60_000;

/**
 * Enforces the disk limits of recordings: now, and every five minutes.
 *
 * @param onRemoved is called for each recording that was deleted.
 * @returns a function that ends it and waits for the current check.
 */
export function enforceDiskLimit(
  recordingsDir: string,
  limits: DiskLimits,
  log: Log,
  onRemoved: (id: string) => void,
): () => Promise<void> {
  const recordings = new RecordingRetention(recordingsDir, limits, onRemoved);
  let state: DiskState = 'room';
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, interval);
  return () => {
    clearInterval(timer);
    return looking;
  };

  async function look(): Promise<void> {
    try {
      await mkdir(recordingsDir, { recursive: true, mode: 0o750 });
      const pruned = await recordings.prune(Date.now());
      if (pruned.state !== state) report(pruned, log);
      state = pruned.state;
      if (pruned.files === 0) return;
      const why = state === 'room' ? 'recordings took more than max_disk_usage' : 'the disk is full';
      log.info(`${why}: deleted the oldest ones, ${Math.ceil(pruned.bytes / 1e6)} MB`);
    } catch (error) {
      log.error(`recordings cannot be listed: ${(error as Error).message}`);
    }
  }
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
      `the disk is full, and only the last hour of each monitor is left: ${space}; free some space, or recording stops`,
    );
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1);
