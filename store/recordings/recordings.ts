import { lstat, readdir, rm, rmdir, statfs } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

/** What the recorder has recorded: `<recordings>/<YYYY>/<MM>/<DD>/<monitor>/<time>_<monitor>.mp4`. */

/** Beside a recording may lie what belongs to it, under the same name with another ending. */
const recordingPath =
  /^\d{4}\/\d\d\/\d\d\/[A-Za-z0-9]+\/(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_[A-Za-z0-9]+)\.[a-z0-9]+$/;
/** A file that grew so short a time ago, in milliseconds, may still be written. */
const growing = 60_000;
/** Of a folder that is so young, in milliseconds, a recorder may just be about to use it. */
const young = 2 * 24 * 60 * 60 * 1000;
/** What is let go is a little more than must be, so that it is not at every look. */
const margin = 0.01;

export interface DiskLimits {
  /** What all recordings together may take, in bytes. */
  readonly most: number;
  /** What must stay free on their disk, in bytes. */
  readonly free: number;
}

export interface PruneResult {
  readonly files: number;
  readonly bytes: number;
  /** The disk was full although the recordings took no more than they may. */
  readonly diskFull: boolean;
}

interface File {
  readonly path: string;
  /** Begins with the time of its recording. */
  readonly id: string;
  readonly size: number;
}

/**
 * Deletes recordings, the oldest of all monitors first, until they take no more than they may and the disk has room.
 * What is not named as a recording is neither counted nor touched.
 *
 * @param now Unix time in milliseconds
 * @throws what the file system throws.
 */
export async function pruneRecordings(
  recordingsDir: string,
  room: DiskLimits,
  now: number,
): Promise<PruneResult> {
  const { files, used } = await look(recordingsDir, now);
  const { bavail, bsize } = await statfs(recordingsDir);
  const excess = used > room.most ? used - room.most * (1 - margin) : 0;
  const missing = room.free - bavail * bsize;
  const wanted = Math.max(excess, missing);
  let [count, bytes] = [0, 0];
  for (const { path, id, size } of files) {
    if (bytes >= wanted) break;
    await rm(path, { force: true });
    if (now - Date.parse(id.slice(0, 10)) > young) await removeEmpty(dirname(path), recordingsDir);
    count += 1;
    bytes += size;
  }
  return { files: count, bytes, diskFull: count > 0 && missing > excess };
}

/** What all take, and those that are finished, oldest first. */
async function look(recordingsDir: string, now: number): Promise<{ files: File[]; used: number }> {
  const files: File[] = [];
  let used = 0;
  for (const name of await readdir(recordingsDir, { recursive: true })) {
    const [, id] = recordingPath.exec(name.replaceAll(sep, '/')) ?? [];
    if (id === undefined) continue;
    const path = join(recordingsDir, name);
    // Another process may have removed it meanwhile.
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    used += found.size;
    if (now - found.mtimeMs > growing) files.push({ path, id, size: found.size });
  }
  files.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { files, used };
}

/** Removes a folder that has become empty, and those above it that have. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let at = folder; at !== root; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}
