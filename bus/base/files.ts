import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Writes that go on now, by path: two writers of one file take turns, the last caller wins. */
const writing = new Map<string, Promise<void>>();

/** Makes a folder and those above it, for the owner and the group only. */
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 });
}

/**
 * Replaces a file as a whole. Whoever reads it, and whatever happens meanwhile (a crash, a full disk), finds
 * either what was there before or all of the new content; once this resolves, a power cut does not undo it.
 *
 * @throws the file system's error; the old file is untouched then.
 */
export async function writeAtomically(path: string, data: string | Uint8Array, mode = 0o640): Promise<void> {
  const target = resolve(path);
  const previous = writing.get(target) ?? Promise.resolve();
  const mine = previous.catch(() => {}).then(() => replace(target, data, mode));
  writing.set(target, mine);
  try {
    await mine;
  } finally {
    if (writing.get(target) === mine) writing.delete(target);
  }
}

async function replace(target: string, data: string | Uint8Array, mode: number): Promise<void> {
  const folder = dirname(target);
  await ensureFolder(folder);
  const temporary = join(folder, `.${basename(target)}.tmp`);
  // What a crash left there must not stand in the way of this save.
  await rm(temporary, { force: true, recursive: true });
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      // Before the rename: otherwise a power cut may leave the new name with nothing in it.
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

/** Removes a file for good. No error when there is none. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

/** A new, renamed or removed name is safe only when its folder is on disk too. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
