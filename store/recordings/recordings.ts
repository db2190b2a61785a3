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
/** The part of its size that stays free on a small disk. */
const freePart = 1 / 20;
/** Of each monitor, milliseconds of recordings that a full disk does not take. */
const protectedMs = 60 * 60 * 1000;

export interface DiskLimits {
  /** What all recordings together may take. */
  readonly maxBytes: number;
  /** What must stay free on their disk; on a small one it is a twentieth of its size. */
  readonly minFreeBytes: number;
}

/**
 * How it is with the disk: it has room (`room`); it has too little although the recordings take no more than they may,
 * so the oldest ones are deleted (`full`); that has stopped because others took what was freed (`taken`), or because
 * nothing is left but the last hour of each monitor (`last-hour`).
 */
export type DiskState = 'room' | 'full' | 'taken' | 'last-hour';

/** What was deleted at one look, and what takes the space, in bytes. */
export interface PruneResult {
  readonly files: number;
  readonly bytes: number;
  readonly state: DiskState;
  readonly disk: { readonly size: number; readonly others: number; readonly recordings: number };
}

interface File {
  readonly path: string;
  /** Begins with the time of its recording. */
  readonly id: string;
  readonly size: number;
}

/** Keeps the recordings of a folder within their room. What is not named as a recording is neither counted nor touched. */
export class RecordingRetention {
  readonly #recordingsDir: string;
  readonly #limits: DiskLimits;
  /** What was freed at the look before for want of room, and what others took then. */
  #freed: { readonly bytes: number; readonly others: number } | undefined;
  /** Looks that pass before deleting is tried again, and how many that will be the next time. */
  #waiting = 0;
  #pause = 1;

  constructor(recordingsDir: string, limits: DiskLimits) {
    this.#recordingsDir = recordingsDir;
    this.#limits = limits;
  }

  /**
   * Deletes recordings, the oldest of all monitors first, until they take no more than they may and the disk has room.
   * For the disk's sake they are not deleted where that does not help, see {@link DiskState}; after a while it is
   * tried again, each time after twice as many looks.
   *
   * @param now Unix time in milliseconds
   * @throws what the file system throws.
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

  /** @returns whether what was freed has gone to others. */
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

  async #remove({ path, id }: File, now: number): Promise<void> {
    await rm(path, { force: true });
    if (now - Date.parse(id.slice(0, 10)) > young) await removeEmpty(dirname(path), this.#recordingsDir);
  }
}

/** @param files oldest first @returns those within an hour of their monitor's newest one. */
function lastHours(files: readonly File[]): Set<File> {
  const newest = new Map(files.map(({ id }) => [monitorOf(id), startOf(id)]));
  return new Set(files.filter(({ id }) => (newest.get(monitorOf(id)) ?? 0) - startOf(id) < protectedMs));
}

const monitorOf = (id: string) => id.slice(20);

/** Unix time in milliseconds. */
function startOf(id: string): number {
  const [, day, ...clock] = /^(.{10})_(..)-(..)-(..)/.exec(id) ?? [];
  return Date.parse(`${day}T${clock.join(':')}Z`);
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
