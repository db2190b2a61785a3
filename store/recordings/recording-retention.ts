import { lstat, readdir, rm, rmdir, statfs } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { parseRecordingID, type RecordingName } from '../../bus/recording-id.ts';

/** The files of recordings: `<recordings>/<YYYY>/<MM>/<DD>/<monitor>/<id>.mp4`. */

/** Files that belong to a recording have the same name with another extension. */
const recordingPath = /^\d{4}\/\d\d\/\d\d\/[A-Za-z0-9]+\/([\w-]+)\.[a-z0-9]+$/;
/** A file modified within this time, in milliseconds, may still be growing. */
const growing = 60_000;
/** A folder younger than this, in milliseconds, may be about to be used. */
const young = 2 * 24 * 60 * 60 * 1000;
/** Share deleted beyond what is necessary, so that not every check has to delete. */
const margin = 0.01;
/** The fraction of a small disk that stays free. */
const freePart = 1 / 20;
/** Milliseconds of recordings per monitor and stream that are kept even if the disk is full. */
const protectedMs = 60 * 60 * 1000;

export interface DiskLimits {
  /** Limit of all recordings together. */
  readonly maxBytes: number;
  /** Space that must stay free on their disk; on a small disk, a twentieth of its size. */
  readonly minFreeBytes: number;
}

/**
 * The state of the disk: it has enough space (`room`); it has too little although the recordings are within their limit, so
 * the oldest are deleted (`full`); deleting has stopped because other files took the freed space (`taken`), or because only
 * the last hour of each monitor is left (`last-hour`).
 */
export type DiskState = 'room' | 'full' | 'taken' | 'last-hour';

/** The result of one check: the deleted files, and the use of the disk in bytes. */
export interface PruneResult {
  readonly files: number;
  readonly bytes: number;
  readonly state: DiskState;
  readonly disk: { readonly size: number; readonly others: number; readonly recordings: number };
}

interface File {
  readonly path: string;
  /** The id of its recording, which begins with the time. */
  readonly id: string;
  readonly name: RecordingName;
  readonly size: number;
}

/** Enforces the limits of a folder of recordings. Files not named like a recording are neither counted nor touched. */
export class RecordingRetention {
  readonly #recordingsDir: string;
  readonly #limits: DiskLimits;
  readonly #onRemoved: (id: string) => void;
  /** Space freed by the last check because the disk was full, and the space that other files took then. */
  #freed: { readonly bytes: number; readonly others: number } | undefined;
  /** Number of checks until deleting is tried again, and the number for the next time. */
  #waiting = 0;
  #pause = 1;

  /** @param onRemoved is called for each recording that was deleted. */
  constructor(recordingsDir: string, limits: DiskLimits, onRemoved: (id: string) => void = () => {}) {
    this.#recordingsDir = recordingsDir;
    this.#limits = limits;
    this.#onRemoved = onRemoved;
  }

  /**
   * Deletes recordings, the oldest of all monitors first, until they are within their limit and the disk has enough space.
   * On a full disk they are not deleted if that does not help, see {@link DiskState}; deleting is then tried again later,
   * each time after twice as many checks.
   *
   * @param now Unix time in milliseconds
   * @throws errors of the file system.
   */
  async prune(now: number): Promise<PruneResult> {
    const { files, used } = await look(this.#recordingsDir, now);
    const { blocks, bfree, bavail, bsize } = await statfs(this.#recordingsDir);
    const size = blocks * bsize;
    const others = Math.max(0, (blocks - bfree) * bsize - used);
    const { maxBytes, minFreeBytes } = this.#limits;
    const excess = used > maxBytes ? used - maxBytes * (1 - margin) : 0;
    const missing = Math.min(minFreeBytes, size * freePart) - bavail * bsize;
    const isFull = missing > excess;
    const isTaken = isFull && this.#isTaken(others);

    const recent = lastHours(files);
    let [count, bytes] = [0, 0];
    for (const file of files) {
      const isNeeded = bytes < excess || (bytes < missing && !isTaken && !recent.has(file));
      if (!isNeeded) continue;
      await this.#remove(file, now);
      count += 1;
      bytes += file.size;
    }
    if (!isFull) this.#pause = 1;
    this.#freed = isFull && !isTaken && bytes > 0 ? { bytes, others } : undefined;
    const full = bytes < missing ? 'last-hour' : 'full';
    const state = !isFull ? 'room' : isTaken ? 'taken' : full;
    return { files: count, bytes, state, disk: { size, others, recordings: used - bytes } };
  }

  /** @returns whether other files have taken the freed space. */
  #isTaken(others: number): boolean {
    if (this.#waiting > 0) {
      this.#waiting -= 1;
      return true;
    }
    if (!this.#freed) return false;
    if (others - this.#freed.others > this.#freed.bytes / 2) {
      this.#waiting = this.#pause;
      this.#pause *= 2;
      return true;
    }
    this.#pause = 1;
    return false;
  }

  async #remove({ path, id, name }: File, now: number): Promise<void> {
    await rm(path, { force: true });
    if (path.endsWith('.mp4')) this.#onRemoved(id);
    if (now - name.startMs > young) await removeEmpty(dirname(path), this.#recordingsDir);
  }
}

/** @param files oldest first @returns those within an hour of the newest one of their monitor and stream. */
function lastHours(files: readonly File[]): Set<File> {
  const seriesOf = ({ monitorID, stream }: RecordingName) => `${monitorID} ${stream}`;
  const newest = new Map(files.map(({ name }) => [seriesOf(name), name.startMs]));
  return new Set(files.filter(({ name }) => (newest.get(seriesOf(name)) ?? 0) - name.startMs < protectedMs));
}

/** The size of all recordings, and the finished ones, oldest first. */
async function look(recordingsDir: string, now: number): Promise<{ files: File[]; used: number }> {
  const files: File[] = [];
  let used = 0;
  for (const file of await readdir(recordingsDir, { recursive: true })) {
    const [, id = ''] = recordingPath.exec(file.replaceAll(sep, '/')) ?? [];
    const name = parseRecordingID(id);
    if (!name) continue;
    const path = join(recordingsDir, file);
    // Another process may have removed the file meanwhile.
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    used += found.size;
    if (now - found.mtimeMs > growing) files.push({ path, id, name, size: found.size });
  }
  files.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { files, used };
}

/** Removes an empty folder, and its parents if they are empty too. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let at = folder; at !== root; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}
