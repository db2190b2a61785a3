import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../../bus/base/files.ts';
import { parseRecordingID } from '../../bus/recording-id.ts';
import { StoreError } from '../base/store-error.ts';
import type { CatalogueEntry, RecordingFilter } from '../log/catalogue/recording-catalogue.ts';
import { Clip, layoutChanges } from './clip/clip.ts';
import { ClipCache } from './clip/clip-cache.ts';
import { type ClipFootage, type OpenMedia, openMedia } from './clip/clip-footage.ts';
import { mayGrow, type OpenRecording, type RecordingFiles } from './files/recording-files.ts';
import type { RecordingMarks } from './files/recording-marks.ts';
import type { FragmentIndex } from './fragments/fragment-index.ts';
import type { FragmentIndexes } from './fragments/fragment-indexes.ts';
import { formatIndex } from './fragments/index-file.ts';
import {
  checkParts,
  type Footage,
  type FootagePart,
  maxParts,
  microseconds,
  ticksAt,
} from './playback/footage.ts';
import { PictureCache } from './playback/picture-cache.ts';
import { type PictureSamples, pictureSamples } from './playback/picture-samples.ts';
import type { KeptRecording } from './retention/retention-rules.ts';

export interface RecordingArchiveOptions {
  /** Decodes one frame. @returns `busy` if too many are being decoded; undefined if it cannot be decoded. */
  readonly makePicture: (
    order: PictureSamples & { readonly path: string },
  ) => Promise<Uint8Array | 'busy' | undefined>;
  readonly files: RecordingFiles;
  readonly indexes: FragmentIndexes;
  readonly marks: RecordingMarks;
  readonly catalogue: { recordings(filter: RecordingFilter): Promise<CatalogueEntry[]> };
  /** Is called for each recording whose file was deleted. */
  readonly onRemoved: (id: string, reason: string) => void;
  /** Deletes what was kept beside these recordings, such as snapshots of their events; before they are reported. */
  readonly removeRest: (recordings: readonly KeptRecording[]) => Promise<void>;
}

/** The recordings that are on disk: their catalogue and their files. */
export class RecordingArchive {
  readonly #options: RecordingArchiveOptions;
  readonly #clips = new ClipCache();
  /** Of several machines. They wait for those machines, and clips of this disk must not wait with them. */
  readonly #siteClips = new ClipCache();
  readonly #pictures = new PictureCache();

  constructor(options: RecordingArchiveOptions) {
    this.#options = options;
  }

  /** The recordings that match, in the order of their ids. @throws {StoreError} `io` */
  list(filter: RecordingFilter): Promise<CatalogueEntry[]> {
    return this.#options.catalogue.recordings(filter);
  }

  /** @throws {StoreError} `io` */
  async find(id: string): Promise<CatalogueEntry | undefined> {
    return (await this.list({ id, limit: 1, oldestFirst: true }))[0];
  }

  /** Which of these recordings are protected. @throws {StoreError} `io` */
  protectedOf(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#options.marks.protectedOf(ids).catch((cause: unknown) => {
      throw new StoreError('io', 'the marks beside the files cannot be read', { cause });
    });
  }

  /**
   * Opens a recording; of one that is being written `bytes` counts its whole fragments.
   *
   * @returns undefined if there is no such file; the caller closes it. @throws errors of the file system.
   */
  async open(id: string): Promise<OpenRecording | undefined> {
    const { files, indexes } = this.#options;
    const recording = await files.open(id);
    if (!recording || !mayGrow(recording)) return recording;
    try {
      const index = await indexes.of(id, recording);
      return index ? { ...recording, bytes: index.end } : recording;
    } catch (error) {
      await recording.handle.close();
      throw error;
    }
  }

  /**
   * What was recorded of a monitor's main stream in a span: Unix times in microseconds.
   *
   * @throws {StoreError} `invalid` if it has too many recordings, `io`; errors of the file system.
   */
  async footage(monitorID: string, startUs: number, endUs: number): Promise<Footage> {
    const span = { monitors: [monitorID], stream: 'main', start: startUs, end: endUs } as const;
    const entries = await this.list({ ...span, limit: maxParts + 1, oldestFirst: true });
    checkParts(entries.length);
    const parts: FootagePart[] = [];
    for (const { id, start } of entries) {
      const index = await this.#indexOf(id);
      if (index) parts.push({ id, startUs: start, index });
    }
    return { startUs, endUs, parts };
  }

  /**
   * A span of a monitor's main stream as one file. It stays the same for five minutes, although a recording in it may grow.
   *
   * @returns undefined if nothing was recorded; `busy` if too many are being made; the times, Unix times in microseconds, at
   * which the picture's size, the codec or the audio changes: one file cannot span them.
   * @param find what else the clip is made of than what this machine has: that of several machines.
   * @throws {StoreError} `invalid` if it has too many recordings, `io`; errors of the file system, and of `find`.
   */
  clip(
    monitorID: string,
    startUs: number,
    endUs: number,
    find?: () => Promise<ClipFootage>,
  ): Promise<Clip | { readonly changes: readonly number[] } | 'busy' | undefined> {
    const own = async (): Promise<ClipFootage> => ({
      footage: await this.footage(monitorID, startUs, endUs),
      open: (id) => this.openMedia(id),
    });
    const clips = find ? this.#siteClips : this.#clips;
    return clips.get(`${monitorID} ${startUs} ${endUs}`, async () => {
      const source = await (find ?? own)();
      const changes = layoutChanges(source.footage);
      return changes.length > 0 ? { changes } : Clip.of(source);
    });
  }

  /** @returns undefined if there is no such file; the caller closes it. @throws errors of the file system. */
  openMedia(id: string): Promise<OpenMedia | undefined> {
    return openMedia(this.#options.files, id);
  }

  /** A recording without its media, for another machine; undefined if there is none. @throws errors of the file system. */
  async indexBytes(id: string): Promise<Buffer | undefined> {
    const index = await this.#indexOf(id);
    return index && formatIndex(index);
  }

  /** Whether there is a file of this recording. @throws errors of the file system. */
  async has(id: string): Promise<boolean> {
    const recording = await this.#options.files.open(id);
    await recording?.handle.close();
    return recording !== undefined;
  }

  /**
   * A frame of a recording as JPEG. The first one is kept beside the recording, the last others in memory.
   *
   * @param timeUs when it was taken, Unix time in microseconds; the first one if left out.
   * @returns undefined if there is none that can be decoded.
   * @throws {StoreError} `io`; errors of the file system.
   */
  async picture(id: string, timeUs?: number): Promise<Uint8Array | 'busy' | undefined> {
    const { files, makePicture } = this.#options;
    const stored = files.companion(id, 'jpeg');
    const path = files.companion(id, 'mp4');
    if (stored === undefined || path === undefined) return undefined;
    const known = timeUs === undefined ? await readFile(stored).catch(() => undefined) : undefined;
    if (known) return known;
    const index = await this.#indexOf(id);
    const afterUs = index && timeUs !== undefined ? await this.#afterUs(id, index, timeUs) : 0;
    const samples = index && pictureSamples(index, afterUs);
    if (!samples) return undefined;
    const cached = this.#pictures.get(id, samples.shownNs);
    if (cached && timeUs !== undefined) return cached;
    const picture = await makePicture({ ...samples, path });
    if (!(picture instanceof Uint8Array)) return picture;
    if (timeUs !== undefined) this.#pictures.keep(id, samples.shownNs, picture);
    // On a full disk it is made again.
    else await writeAtomically(stored, picture).catch(() => {});
    return picture;
  }

  /** How long after the first frame that was, in microseconds; 0 for a time before it. */
  async #afterUs(id: string, index: FragmentIndex, timeUs: number): Promise<number> {
    const startUs = (await this.find(id))?.start ?? timeUs;
    const ticks = ticksAt({ id, startUs, index }, timeUs) - (index.fragments[0]?.decodeTime ?? 0);
    return Math.max(0, microseconds(ticks, index.movie.video.ticksPerSecond));
  }

  /**
   * Reads the index of a recording, so that it is there when it is asked for.
   *
   * @param isSaved it grows no more: the index is kept beside it. @throws errors of the file system.
   */
  async prepare(id: string, isSaved: boolean): Promise<void> {
    const { indexes } = this.#options;
    await this.#with(id, (recording) =>
      isSaved || !mayGrow(recording) ? indexes.store(id, recording) : indexes.follow(id, recording),
    );
  }

  #indexOf(id: string): Promise<FragmentIndex | undefined> {
    return this.#with(id, (recording) => this.#options.indexes.of(id, recording));
  }

  async #with<T>(id: string, task: (recording: OpenRecording) => Promise<T>): Promise<T | undefined> {
    const recording = await this.#options.files.open(id);
    if (!recording) return undefined;
    try {
      return await task(recording);
    } finally {
      await recording.handle.close();
    }
  }

  /**
   * Keeps a recording from being deleted, also by {@link remove}.
   *
   * @param by a user name. @throws {StoreError} `not_found`, `io`
   */
  async protect(id: string, by: string): Promise<void> {
    const { files, marks } = this.#options;
    if (!(await files.has(id))) throw notFound();
    await marks.protect(id, by).catch((cause: unknown) => {
      throw new StoreError('io', 'the mark beside the file cannot be written', { cause });
    });
  }

  /** Does nothing if it is not protected. @throws {StoreError} `not_found`, `io` */
  async unprotect(id: string): Promise<void> {
    const { files, marks } = this.#options;
    if (!(await files.has(id))) throw notFound();
    await marks.unprotect(id).catch((cause: unknown) => {
      throw new StoreError('io', 'the mark beside the file cannot be deleted', { cause });
    });
  }

  /**
   * Deletes the file of a recording, what was made of it, and, as the retention does, its events with their snapshots.
   *
   * @param reason is stored with the deletion.
   * @throws {StoreError} `not_found`, `conflict` if it is being written or protected, `io`
   */
  async remove(id: string, reason: string): Promise<void> {
    const { files, indexes, marks, onRemoved, removeRest } = this.#options;
    const entry = await this.find(id);
    const file = await files.open(id);
    await file?.handle.close();
    if (!entry && !file) throw notFound();
    if (file && entry?.end == null && mayGrow(file))
      throw new StoreError('conflict', 'it is being written; delete it when it is complete', {
        pointer: '/id',
      });
    if (file && (await marks.isProtected(id)))
      throw new StoreError('conflict', 'it is protected', { pointer: '/id' });
    await files.remove(id).catch((cause: unknown) => {
      throw new StoreError('io', 'the file cannot be deleted', { cause });
    });
    indexes.forget(id);
    try {
      const name = parseRecordingID(id);
      if (!name) return;
      const startMs = entry ? entry.start / 1000 : name.startMs;
      const endMs = entry?.end ? entry.end / 1000 : (file?.modifiedMs ?? startMs);
      // While its events are known.
      await removeRest([{ id, ...name, startMs, endMs, bytes: file?.bytes ?? 0 }]);
    } catch (cause) {
      throw new StoreError('io', 'it is deleted, but the snapshots of its events are not', { cause });
    } finally {
      // A file that somebody else deleted is reported as well, so that the catalogue no longer lists it.
      onRemoved(id, reason);
    }
  }
}

const notFound = () => new StoreError('not_found', 'there is no such recording', { pointer: '/id' });
