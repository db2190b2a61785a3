import { StoreError } from '../base/store-error.ts';
import type { CatalogueEntry, RecordingFilter } from '../log/catalogue/recording-catalogue.ts';
import { mayGrow, type OpenRecording, type RecordingFiles } from './files/recording-files.ts';
import type { FragmentIndexes } from './fragments/fragment-indexes.ts';

export interface RecordingArchiveOptions {
  readonly files: RecordingFiles;
  readonly indexes: FragmentIndexes;
  readonly catalogue: { recordings(filter: RecordingFilter): Promise<CatalogueEntry[]> };
  /** Is called for each recording whose file was deleted. */
  readonly onRemoved: (id: string, reason: string) => void;
}

/** The recordings that are on disk: their catalogue and their files. */
export class RecordingArchive {
  readonly #options: RecordingArchiveOptions;

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
   * Deletes the file of a recording and what was made of it. Its events and their snapshots stay.
   *
   * @param reason is stored with the deletion.
   * @throws {StoreError} `not_found`, `conflict` if it is being written, `io`
   */
  async remove(id: string, reason: string): Promise<void> {
    const { files, indexes, onRemoved } = this.#options;
    const entry = await this.find(id);
    const file = await files.open(id);
    await file?.handle.close();
    if (!entry && !file) throw new StoreError('not_found', 'there is no such recording', { pointer: '/id' });
    if (file && entry?.end == null && mayGrow(file))
      throw new StoreError('conflict', 'it is being written; delete it when it is complete', {
        pointer: '/id',
      });
    await files.remove(id).catch((cause: unknown) => {
      throw new StoreError('io', 'the file cannot be deleted', { cause });
    });
    indexes.forget(id);
    // A file that somebody else deleted is reported as well, so that the catalogue no longer lists it.
    onRemoved(id, reason);
  }
}
