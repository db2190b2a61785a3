import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, writeAtomically } from '../../bus/base/files.ts';

/** The storage folder is not the one that this configuration was last used with. */
class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code = 'wrong_storage';
}

/** The same text in the storage and in the configuration. */
const markName = 'storage-id';

export interface StorageFolders {
  readonly configDir: string;
  readonly storageDir: string;
  /** Take the storage as it is, whatever storage the configuration knows. */
  readonly isNew: boolean;
}

/**
 * Creates the storage folder at the first start, and recognises it at every other one by an id in a file: without it, a
 * disk that is not mounted would be replaced by an empty folder on the system's disk, which then fills up.
 *
 * @throws {StorageError} if the folder has another id than the configuration, or none. Nothing was written then.
 */
export async function openStorage({ configDir, storageDir, isNew }: StorageFolders): Promise<void> {
  const known = await readMark(configDir);
  const found = await readMark(storageDir);
  if (known !== undefined && known !== found && !isNew) {
    const state = found === undefined ? 'has no file storage-id' : 'has another storage-id';
    throw new StorageError(
      `${storageDir} is not the storage of the last start (it ${state}). Is its disk mounted? If it is meant to be a new one: npm start -- --new-storage`,
    );
  }
  await ensureFolder(storageDir);
  const id = found ?? randomUUID();
  if (found === undefined) await writeAtomically(join(storageDir, markName), `${id}\n`);
  if (known !== id) await writeAtomically(join(configDir, markName), `${id}\n`);
}

/** @returns undefined if there is no mark. @throws other errors of the file system: an unreadable disk is no new one. */
async function readMark(folder: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, markName), 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw error;
  }
}
