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
   * @returns the index of a recording as long as it was when it was opened, or longer; undefined if it is damaged from the
   * beginning on. @throws errors of the file system.
   */
  async of(id: string, recording: OpenRecording): Promise<FragmentIndex | undefined> {
    // One reader at a time: the next one finds what it has read.
    for (let other = this.#reading.get(id); other !== undefined; other = this.#reading.get(id))
      await other.catch(() => {});
    const cached = this.#cached.get(id);
    if (cached && cached.size >= recording.bytes) {
      this.#touch(id, cached);
      return cached.index;
    }
    const reading = this.#read(id, recording, cached?.index);
    this.#reading.set(id, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(id);
    }
  }

  forget(id: string): void {
    this.#bytes -= this.#cached.get(id)?.bytes ?? 0;
    this.#cached.delete(id);
  }

  async #read(
    id: string,
    recording: OpenRecording,
    known: FragmentIndex | undefined,
  ): Promise<FragmentIndex | undefined> {
    const { handle, bytes: size } = recording;
    const path = this.#files.companion(id, 'idx') ?? '';
    const stored = known ?? (await readIndexFile(path));
    const begun = stored && (await fits(stored, recording)) ? stored : await beginIndex(handle, size);
    if (!begun) return undefined;
    const index = await extendIndex(handle, size, begun);
    this.#keep(id, index, size);
    // On a full disk there is none.
    if (index !== stored && index.end > (stored?.end ?? 0) && !mayGrow(recording))
      await writeIndexFile(path, index).catch(() => {});
    return index;
  }

  #keep(id: string, index: FragmentIndex, size: number): void {
    this.forget(id);
    const bytes = index.fragments.reduce(
      (sum, { header }) => sum + header.length + fragmentBytes,
      index.init.length,
    );
    this.#touch(id, { index, size, bytes });
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
