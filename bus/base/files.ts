import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Running writes by path: writers of the same file run one after another, the last caller wins. */
const writing = new Map<string, Promise<void>>();

/** Creates a folder and its parents, accessible to the owner and the group only. */
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 });
}

/**
 * Replaces a whole file. Readers see either all of the old content or all of the new one, even after a crash or on a
 * full disk; once the promise resolves, a power cut does not undo the write.
 *
 * @throws the file system's error; the old file is then unchanged.
 */
export async function writeAtomically(path: string, data: string | Uint8Array, mode = 0o640): Promise<void> {
  const target = resolve(path);
  const previous = writing.get(target) ?? Promise.resolve();
  const write = previous.catch(() => {}).then(() => replace(target, data, mode));
  writing.set(target, write);
  try {
    await write;
  } finally {
    if (writing.get(target) === write) writing.delete(target);
  }
}

async function replace(target: string, data: string | Uint8Array, mode: number): Promise<void> {
  const folder = dirname(target);
  await ensureFolder(folder);
  const temporary = join(folder, `.${basename(target)}.tmp`);
  // A crash may have left a temporary file, or even a folder, with this name.
  await rm(temporary, { force: true, recursive: true });
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      // Before the rename: otherwise a power cut may leave an empty file under the final name.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Removes a file so that a power cut does not bring it back. A missing file is no error. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

/** Flushes a folder to disk: a created, renamed or removed name survives a power cut only after this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
