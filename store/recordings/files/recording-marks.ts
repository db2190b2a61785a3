import { access } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { removeFile, writeAtomically } from '../../../bus/base/files.ts';
import type { RecordingFiles } from './recording-files.ts';

/**
 * What is noted about recordings in files beside them, which no lost catalogue takes along: `<id>.protected` of one that
 * must not be deleted, with the name of the account that protects it; `<id>.labels` with a line for each label that was
 * detected during it, of the labels that keep recordings.
 */
export class RecordingMarks {
  readonly #files: RecordingFiles;

  constructor(files: RecordingFiles) {
    this.#files = files;
  }

  /** @throws errors of the file system. */
  async isProtected(id: string): Promise<boolean> {
    const path = this.#files.companion(id, 'protected');
    return path !== undefined && exists(path);
  }

  /** Which of these are protected. @throws errors of the file system. */
  async protectedOf(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await Promise.all(ids.map((id) => this.isProtected(id)));
    return new Set(ids.filter((_, index) => found[index]));
  }

  /** @param by a user name. @throws errors of the file system. */
  async protect(id: string, by: string): Promise<void> {
    const path = this.#files.companion(id, 'protected');
    if (path !== undefined) await writeAtomically(path, `${by}\n`);
  }

  /** @throws errors of the file system. */
  async unprotect(id: string): Promise<void> {
    const path = this.#files.companion(id, 'protected');
    if (path !== undefined) await removeFile(path);
  }

  /** @throws errors of the file system. */
  async labels(id: string): Promise<string[]> {
    const text = await this.#read(id);
    return (text ?? '').split('\n').filter((label) => label !== '');
  }

  /** Does nothing if they are known, or if there is no such recording. @throws errors of the file system. */
  async addLabels(id: string, labels: readonly string[]): Promise<void> {
    const path = this.#files.companion(id, 'labels');
    if (!(await this.#files.has(id))) return;
    const known = await this.labels(id);
    const all = [...new Set([...known, ...labels])];
    if (path !== undefined && all.length > known.length) await writeAtomically(path, `${all.join('\n')}\n`);
  }

  async #read(id: string): Promise<string | undefined> {
    const path = this.#files.companion(id, 'labels');
    if (path === undefined) return undefined;
    return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
  }
}

const isAbsent = ({ code }: NodeJS.ErrnoException): boolean => code === 'ENOENT' || code === 'ENOTDIR';

/** A page of recordings asks this a hundred times: with promises of the file system it takes three times as long. */
function exists(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    access(path, (error) => {
      if (error && !isAbsent(error)) reject(error);
      else resolve(error === null);
    });
  });
}
