import { mayGrow, type OpenRecording, type RecordingFiles } from '../files/recording-files.ts';
import { beginIndex, extendIndex, type FragmentIndex } from './fragment-index.ts';
import { readIndexFile, writeIndexFile } from './index-file.ts';

/** Indexes in memory: those of a day of one monitor take about 30 MB. */
const maxBytes = 48 * 1024 * 1024;
/** Of a fragment, besides its header. */
const fragmentBytes = 200;

interface CachedIndex {
  readonly index: FragmentIndex;
  /** Size of the file that was read. */
  readonly size: number;
  readonly bytes: number;
  /** Whether it is in the file beside the recording, or could not be written there. */
  readonly isStored: boolean;
}

/** The indexes of recordings: read once, kept in memory while they are in use, and in a file beside the recording. */
export class FragmentIndexes {
  readonly #files: RecordingFiles;
  /** The least recently used first. */
  readonly #cached = new Map<string, CachedIndex>();
  #bytes = 0;
  readonly #reading = new Map<string, Promise<FragmentIndex | undefined>>();

  constructor(files: RecordingFiles) {
    this.#files = files;
  }

  /**
   * @param isWhole it grows no more.
   * @returns the index of a recording as long as it was when it was opened, or longer; undefined if it is damaged from the
   * beginning on. @throws errors of the file system.
   */
  async of(
    id: string,
    recording: OpenRecording,
    isWhole = !mayGrow(recording),
  ): Promise<FragmentIndex | undefined> {
    // One reader at a time: the next one finds what it has read.
    for (let other = this.#reading.get(id); other !== undefined; other = this.#reading.get(id))
      await other.catch(() => {});
    const cached = this.#cached.get(id);
    if (cached && cached.size >= recording.bytes && (cached.isStored || !isWhole)) {
      this.#touch(id, cached);
      return cached.index;
    }
    const reading = this.#read(id, recording, isWhole, cached);
    this.#reading.set(id, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(id);
    }
  }

  /** Makes the file beside a recording that grows no more. Indexes that are in use stay in memory rather than this one. */
  async store(id: string, recording: OpenRecording): Promise<void> {
    const isInUse = this.#cached.has(id);
    await this.of(id, recording, true);
    if (!isInUse) this.forget(id);
  }

  forget(id: string): void {
    this.#bytes -= this.#cached.get(id)?.bytes ?? 0;
    this.#cached.delete(id);
  }

  async #read(
    id: string,
    recording: OpenRecording,
    isWhole: boolean,
    cached: CachedIndex | undefined,
  ): Promise<FragmentIndex | undefined> {
    const { handle, bytes: size } = recording;
    const path = this.#files.companion(id, 'idx') ?? '';
    const known = cached?.index ?? (await readIndexFile(path));
    const fitting = known && (await fits(known, recording)) ? known : undefined;
    const begun = fitting ?? (await beginIndex(handle, size));
    if (!begun) return undefined;
    const index = await extendIndex(handle, size, begun);
    let isStored = index.end === fitting?.end && (cached?.isStored ?? true);
    if (isWhole && !isStored) {
      isStored = true;
      // On a full disk there is none.
      if (index.fragments.length > 0) await writeIndexFile(path, index).catch(() => {});
    }
    this.#keep(id, index, size, isStored);
    return index;
  }

  #keep(id: string, index: FragmentIndex, size: number, isStored: boolean): void {
    this.forget(id);
    const bytes = index.fragments.reduce(
      (sum, { header }) => sum + header.length + fragmentBytes,
      index.init.length,
    );
    this.#touch(id, { index, size, bytes, isStored });
    this.#bytes += bytes;
    for (const [oldest] of this.#cached) {
      if (this.#bytes <= maxBytes || oldest === id) break;
      this.forget(oldest);
    }
  }

  #touch(id: string, cached: CachedIndex): void {
    this.#cached.delete(id);
    this.#cached.set(id, cached);
  }
}

/** Whether an index is of this file: its last fragment is where the index says. */
async function fits({ fragments, end }: FragmentIndex, { handle, bytes }: OpenRecording): Promise<boolean> {
  const last = fragments.at(-1);
  if (!last || end > bytes) return false;
  const { header, offset } = last;
  const found = await handle.read(Buffer.alloc(header.length), 0, header.length, offset);
  return found.buffer.equals(header);
}
