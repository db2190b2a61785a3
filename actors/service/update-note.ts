import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, writeAtomically } from '../../bus/base/files.ts';

/** An update that has begun to change the clone. */
export interface BegunUpdate {
  /** Commits. */
  readonly from: string;
  readonly to: string;
  /** The folder of the backup of before. */
  readonly backup: string;
}

/** A file in the clone that is there while an update is under way: one that is killed leaves the service stopped, and this. */
export class UpdateNote {
  readonly #file: string;

  /** @param project the clone. */
  constructor(project: string) {
    this.#file = join(project, '.cache', 'update.json');
  }

  /** @returns undefined if the last update came to its end. */
  async read(): Promise<BegunUpdate | undefined> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : (JSON.parse(text) as BegunUpdate);
  }

  async write(begun: BegunUpdate): Promise<void> {
    await writeAtomically(this.#file, JSON.stringify(begun));
  }

  async remove(): Promise<void> {
    await removeFile(this.#file);
  }
}
