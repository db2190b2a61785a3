import { mkdir } from 'node:fs/promises';
import type { Log } from '../bus/log.ts';
import { type DiskLimits, pruneRecordings } from '../store/recordings/recordings.ts';

/** Four cameras fill a gigabyte meanwhile at most. */
const interval = 5 * 60_000;

/**
 * Keeps the recordings within their room: looks now, and every five minutes.
 *
 * @returns ends it, when the look that goes on is over.
 */
export function enforceDiskLimit(recordingsDir: string, room: DiskLimits, log: Log): () => Promise<void> {
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
      const { files, bytes, diskFull } = await pruneRecordings(recordingsDir, room, Date.now());
      if (files === 0) return;
      const what = `deleted the oldest ones, ${Math.ceil(bytes / 1e6)} MB`;
      if (diskFull) log.error(`the disk is full although recordings take less than they may: ${what}`);
      else log.info(`recordings took more than max_disk_usage: ${what}`);
    } catch (error) {
      log.error(`recordings cannot be looked through: ${(error as Error).message}`);
    }
  }
}
