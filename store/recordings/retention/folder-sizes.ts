import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

interface KnownFolder {
  readonly modifiedMs: number;
  readonly bytes: number;
}

/** Sizes of folders of many small files, which are written once: a folder is listed again when a file came or went. */
export class FolderSizes {
  #known = new Map<string, KnownFolder>();

  /** @returns the bytes of all files below; 0 if the folder does not exist. */
  async measure(folder: string): Promise<number> {
    const seen = new Map<string, KnownFolder>();
    const bytes = await this.#measure(folder, seen);
    this.#known = seen;
    return bytes;
  }

  async #measure(folder: string, seen: Map<string, KnownFolder>): Promise<number> {
    const found = await lstat(folder).catch(() => undefined);
    if (!found?.isDirectory()) return 0;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile());
    const known = this.#known.get(folder);
    let bytes = known?.modifiedMs === found.mtimeMs ? known.bytes : undefined;
    if (bytes === undefined) {
      bytes = 0;
      for (const { name } of files) bytes += await fileBytes(join(folder, name));
    }
    seen.set(folder, { modifiedMs: found.mtimeMs, bytes });
    for (const entry of entries) {
      if (entry.isDirectory()) bytes += await this.#measure(join(folder, entry.name), seen);
    }
    return bytes;
  }
}

/** The bytes of all files below a folder whose files grow; 0 if it does not exist. */
export const folderBytes = (folder: string): Promise<number> => new FolderSizes().measure(folder);

/** 0 if it does not exist. */
export const fileBytes = (path: string): Promise<number> =>
  lstat(path).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  );
