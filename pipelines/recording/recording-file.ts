import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../bus/base/files.ts';
import type { MachineStart } from '../../bus/base/machine-clock.ts';
import { formatRecordingID, type RecordedStream } from '../../bus/recording-id.ts';
import { movieFragment } from '../mp4/movie-fragment.ts';
import type { TimedFragment } from './preroll.ts';

export interface RecordingPlace {
  readonly recordingsDir: string;
  readonly monitorID: string;
  readonly stream: RecordedStream;
}

/** Leads from the fragments' times to Unix time. */
export interface RecordedClock {
  /** Unix time minus the fragments' times, in microseconds. */
  readonly offsetUs: number;
  readonly machine: MachineStart;
}

/** Leads from the times of fragments to those of their file. */
interface FileOrigin extends RecordedClock {
  /** Of its first picture, in ticks of video: 0 in the file. */
  readonly decodeTime: number;
}

interface NewRecording {
  readonly place: RecordingPlace;
  readonly fragments: readonly [TimedFragment, ...TimedFragment[]];
  readonly clock: RecordedClock;
}

/** Of this process. The disk may be so slow that the next connection of a monitor begins a file before the last one's exists. */
const unfinished = new Set<string>();

/**
 * One recording on disk: plain fragmented MP4 whose times begin at 0.
 *
 * It appears under its name with its first fragment in it and grows by whole fragments, so that at any moment,
 * and whatever ends the process, it is a file that plays, one fragment shorter at worst.
 */
export class RecordingFile {
  /** See `bus/recording-id.ts`. */
  readonly id: string;
  readonly #handle: FileHandle;
  readonly #origin: FileOrigin;
  #size: number;
  #fragments: number;
  /** The disk has all that was written. */
  #isSynced = true;

  private constructor(
    id: string,
    handle: FileHandle,
    { origin, size, fragments }: { origin: FileOrigin; size: number; fragments: number },
  ) {
    this.id = id;
    this.#handle = handle;
    this.#origin = origin;
    this.#size = size;
    this.#fragments = fragments;
  }

  /**
   * Resolves when the file and its name are on disk.
   *
   * @param fragments at least one; the first begins with a key frame
   * @throws what the file system throws.
   */
  static async create(
    place: RecordingPlace,
    fragments: readonly [TimedFragment, ...TimedFragment[]],
    clock: RecordedClock,
  ): Promise<RecordingFile> {
    const { recordingsDir, monitorID } = place;
    await makeFolder(recordingsDir);
    await removeLeftovers(recordingsDir, monitorID);
    const part = unusedPart(place);
    unfinished.add(part);
    try {
      return await RecordingFile.#createAs(part, { place, fragments, clock });
    } finally {
      unfinished.delete(part);
    }
  }

  static async #createAs(part: string, { place, fragments, clock }: NewRecording): Promise<RecordingFile> {
    const [{ layout, video, time }] = fragments;
    const origin = { ...clock, decodeTime: video[0]?.decodeTime ?? 0 };
    const handle = await open(part, 'w', 0o640);
    try {
      const size = await write(handle, [layout.init, ...bytesOf(fragments, 1, origin)], 0);
      await handle.datasync();
      const { id, path } = await freeName(place, time + clock.offsetUs);
      await makeFolder(dirname(path));
      await rename(part, path);
      await syncFolder(dirname(path));
      return new RecordingFile(id, handle, { origin, size, fragments: fragments.length });
    } catch (error) {
      await handle.close().catch(() => {});
      await rm(part, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** The size of the file: whole fragments only. */
  get bytes(): number {
    return this.#size;
  }

  /**
   * Resolves when the kernel has the fragments; {@link sync} makes sure that the disk has them.
   *
   * @throws what the file system throws; the file then ends with the last whole fragment.
   */
  async append(fragments: readonly TimedFragment[]): Promise<void> {
    this.#isSynced = false;
    try {
      const bytes = bytesOf(fragments, this.#fragments + 1, this.#origin);
      this.#size += await write(this.#handle, bytes, this.#size);
      this.#fragments += fragments.length;
    } catch (error) {
      await this.#handle.truncate(this.#size).catch(() => {});
      throw error;
    }
  }

  /** Resolves when all that was appended before is on disk. @throws what the file system throws. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
    this.#isSynced = true;
  }

  /** @throws what the file system throws; it is closed all the same. */
  async close(): Promise<void> {
    try {
      if (!this.#isSynced) await this.sync();
    } finally {
      await this.#handle.close();
    }
  }
}

/** @param sequence the number of the first one in its file */
function bytesOf(
  fragments: readonly TimedFragment[],
  sequence: number,
  { decodeTime, offsetUs, machine }: FileOrigin,
): Buffer[] {
  return fragments.flatMap((fragment, index) =>
    movieFragment(fragment, sequence + index, decodeTime, { timeUs: fragment.time + offsetUs, machine }),
  );
}

/**
 * One call, so that the kernel gets a fragment whole or not at all when the process is killed.
 *
 * @param position in the file: after a write that failed the handle's own is behind what was taken off again.
 */
async function write(handle: FileHandle, buffers: Buffer[], position: number): Promise<number> {
  const size = buffers.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(buffers, position);
  if (bytesWritten < size) throw new Error('the disk took only a part of a fragment');
  return size;
}

/** The name says the second in which the recording begins, in UTC; of two in one second the other takes the next. */
async function freeName(
  { recordingsDir, monitorID, stream }: RecordingPlace,
  startUs: number,
): Promise<{ id: string; path: string }> {
  for (let second = Math.floor(startUs / 1e6); ; second += 1) {
    const id = formatRecordingID({ startMs: second * 1000, monitorID, stream });
    const path = join(recordingsDir, ...id.slice(0, 10).split('-'), monitorID, `${id}.mp4`);
    if (!(await exists(path))) return { id, path };
  }
}

/** Another process, of a main that was killed, may still be finishing its own. */
function unusedPart({ recordingsDir, monitorID, stream }: RecordingPlace): string {
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? '' : `-${number}`;
    const part = join(recordingsDir, `.${monitorID}_${stream}${suffix}.${process.pid}.part`);
    if (!unfinished.has(part)) return part;
  }
}

/** Removes the unfinished files of killed processes. */
async function removeLeftovers(recordingsDir: string, monitorID: string): Promise<void> {
  for (const name of await readdir(recordingsDir)) {
    const [, owner, pid] = /^\.([A-Za-z0-9]+)(?:_[a-z]+(?:-\d+)?)?\.(\d+)\.part$/.exec(name) ?? [];
    if (owner !== monitorID || (await exists(`/proc/${pid}`))) continue;
    await rm(join(recordingsDir, name), { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A folder that was made is an entry in another one, which has to reach the disk as well. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o750 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
