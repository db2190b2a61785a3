import { mayGrow, type OpenRecording, type RecordingFiles } from '../files/recording-files.ts';
import { beginIndex, extendIndex, type FragmentIndex } from './fragment-index.ts';
import { readHeaders, readWrittenHeaders } from './header-reader.ts';
import { readIndexFile, writeIndexFile } from './index-file.ts';

/** Indexes in memory: those of a day of one monitor take about 50 MB. */
const maxBytes = 64 * 1024 * 1024;
/** Of a fragment, besides its header. */
const fragmentBytes = 350;
/** One that nobody has asked for so long, and that has not grown, is read from the disk again. */
const keepMs = 10 * 60_000;

interface CachedIndex {
  readonly index: FragmentIndex;
  /** Size of the file that was read. */
  readonly size: number;
  readonly bytes: number;
  /** Whether it is in the file beside the recording, or could not be written there. */
  readonly isStored: boolean;
  /** Whether a request has used it. */
  readonly isAsked: boolean;
  /** When it was used or has grown last, by `performance.now()`. */
  readonly usedMs: number;
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
   * For a request.
   *
   * @returns the index of a recording as long as it was when it was opened, or longer; undefined if it is damaged from the
   * beginning on. @throws errors of the file system.
   */
  async of(id: string, recording: OpenRecording): Promise<FragmentIndex | undefined> {
    const index = await this.#upTo(id, recording, !mayGrow(recording));
    const cached = this.#cached.get(id);
    if (cached) this.#touch(id, { ...cached, isAsked: true });
    return index;
  }

  /** Reads on what has been written of a recording, which is in memory still. @throws errors of the file system. */
  async follow(id: string, recording: OpenRecording): Promise<void> {
    await this.#upTo(id, recording, false);
  }

  /**
   * Makes the file beside a recording that grows no more. Then it stays in memory only if requests have used it.
   *
   * @throws errors of the file system.
   */
  async store(id: string, recording: OpenRecording): Promise<void> {
    await this.#upTo(id, recording, true);
    if (!this.#cached.get(id)?.isAsked) this.forget(id);
  }

  forget(id: string): void {
    this.#bytes -= this.#cached.get(id)?.bytes ?? 0;
    this.#cached.delete(id);
  }

  /** @param isWhole it grows no more. */
  async #upTo(id: string, recording: OpenRecording, isWhole: boolean): Promise<FragmentIndex | undefined> {
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
    const reader = isWhole ? readHeaders(handle) : readWrittenHeaders(handle);
    const index = await extendIndex(reader, size, begun).finally(() => reader.close());
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
    const isAsked = this.#cached.get(id)?.isAsked ?? false;
    this.forget(id);
    const bytes = index.fragments.reduce(
      (sum, { header }) => sum + header.length + fragmentBytes,
      index.init.length,
    );
    this.#touch(id, { index, size, bytes, isStored, isAsked, usedMs: 0 });
    this.#bytes += bytes;
    const aliveMs = performance.now() - keepMs;
    for (const [oldest, { usedMs }] of this.#cached) {
      if ((this.#bytes <= maxBytes && usedMs >= aliveMs) || oldest === id) break;
      this.forget(oldest);
    }
  }

  #touch(id: string, cached: CachedIndex): void {
    this.#cached.delete(id);
    this.#cached.set(id, { ...cached, usedMs: performance.now() });
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
