import { constants, copyFile, type FileHandle, lstat, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { ensureFolder, syncFolder } from '../../../bus/base/files.ts';
import { parseRecordingID } from '../../../bus/recording-id.ts';

/** A recording's file, open for reading. */
export interface OpenRecording {
  readonly handle: FileHandle;
  readonly bytes: number;
  /** Unix time in milliseconds. */
  readonly modifiedMs: number;
}

/** A file modified within this time, in milliseconds, may still be growing. */
const growingMs = 60_000;
/** Files that belong to a recording, by their endings: what is made of it, and what is noted about it. */
const companions = ['idx', 'jpeg', 'protected', 'labels'] as const;
export type CompanionEnding = (typeof companions)[number];

/**
 * The files of recordings, found by their ids: an id is no path, and what its path leads to is inside the folder of
 * recordings and no link.
 */
export class RecordingFiles {
  readonly #recordingsDir: string;

  constructor(recordingsDir: string) {
    this.#recordingsDir = recordingsDir;
  }

  /** @returns undefined if there is no such file; the caller closes it. @throws other errors of the file system. */
  async open(id: string): Promise<OpenRecording | undefined> {
    const path = await this.#existing(id);
    if (path === undefined) return undefined;
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent);
    if (!handle) return undefined;
    try {
      const { size, mtimeMs } = await handle.stat();
      return { handle, bytes: size, modifiedMs: mtimeMs };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @throws errors of the file system. */
  async has(id: string): Promise<boolean> {
    return (await this.#existing(id)) !== undefined;
  }

  /** The path of a recording's file, or of one that belongs to it and is deleted with it; undefined if this is no id. */
  companion(id: string, ending: CompanionEnding | 'mp4'): string | undefined {
    return this.#path(id, ending);
  }

  /** @returns whether the file was there. @throws errors of the file system. */
  async remove(id: string): Promise<boolean> {
    const path = await this.#existing(id);
    if (path === undefined) return false;
    await rm(path);
    for (const ending of companions) await rm(this.#path(id, ending) ?? '', { force: true });
    return true;
  }

  /**
   * Gives a recording another id, and what belongs to it as well; its index is made anew. A crash leaves it under one of
   * both ids, with all marks.
   *
   * @param to nothing has this id yet, but perhaps the recording itself: then its index alone goes.
   * @throws errors of the file system.
   */
  async rename(id: string, to: string): Promise<void> {
    const [from, path] = [await this.#existing(id), this.#path(to, 'mp4')];
    if (from === undefined || path === undefined) return;
    if (to === id) return rm(this.#path(id, 'idx') ?? '', { force: true });
    await ensureFolder(dirname(path));
    for (const ending of companions) {
      const [old, renamed] = [this.#path(id, ending) ?? '', this.#path(to, ending) ?? ''];
      if (ending !== 'idx') await copyFile(old, renamed).catch(absent);
    }
    await rename(from, path);
    for (const folder of new Set([dirname(path), dirname(from)])) await syncFolder(folder);
    for (const ending of companions) await rm(this.#path(id, ending) ?? '', { force: true });
  }

  /** @returns the path of a regular file that is reached through no link below the folder of recordings. */
  async #existing(id: string): Promise<string | undefined> {
    const path = this.#path(id, 'mp4');
    if (path === undefined) return undefined;
    const found = await lstat(path).catch(absent);
    if (!found?.isFile()) return undefined;
    const [real, root] = await Promise.all([realpath(path), realpath(this.#recordingsDir)]);
    return real === join(root, path.slice(this.#recordingsDir.length + sep.length)) ? path : undefined;
  }

  #path(id: string, ending: string): string | undefined {
    const name = parseRecordingID(id);
    if (!name) return undefined;
    return join(this.#recordingsDir, ...id.slice(0, 10).split('-'), name.monitorID, `${id}.${ending}`);
  }
}

/**
 * Whether a file was written to so recently that it may be unfinished; a time to come is of a clock that was ahead.
 *
 * @param withinMs how recently that is.
 */
export const mayGrow = (
  { modifiedMs }: Pick<OpenRecording, 'modifiedMs'>,
  withinMs: number = growingMs,
): boolean => Math.abs(Date.now() - modifiedMs) < withinMs;

/** Of a path that does not exist there is nothing. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return undefined;
  throw error;
}
