import { lstatSync, readlinkSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Running writes by path: writers of the same file run one after another, the last caller wins. */
const writing = new Map<string, Promise<void>>();
/** As many as Linux follows. */
const maxLinks = 40;

/** Creates a folder and its parents, accessible to the owner and the group only. */
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 });
}

/**
 * Replaces a whole file. Readers see either all of the old content or all of the new one, even after a crash or on a
 * full disk; once the promise resolves, a power cut does not undo the write.
 *
 * The exception is a file that is a mount of its own, as containers have them: it cannot be replaced, so it is written in
 * place, once its new content is safe beside it. A symbolic link stays, and what it leads to is replaced.
 *
 * @throws the file system's error; the old file is then unchanged, unless the error says otherwise.
 */
export async function writeAtomically(path: string, data: string | Uint8Array, mode = 0o640): Promise<void> {
  const target = linkTarget(resolve(path));
  const previous = writing.get(target) ?? Promise.resolve();
  const write = previous.catch(() => {}).then(() => replace(target, data, mode));
  writing.set(target, write);
  try {
    await write;
  } finally {
    if (writing.get(target) === write) writing.delete(target);
  }
}

/** Follows symbolic links, also one that leads to no file yet. At once, because writers take turns in the order of their calls. */
function linkTarget(path: string): string {
  let target = path;
  for (let links = 0; links < maxLinks; links += 1) {
    if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    target = resolve(dirname(target), readlinkSync(target));
  }
  throw Object.assign(new Error(`${path}: symbolic links lead in a circle`), { code: 'ELOOP' });
}

async function replace(target: string, data: string | Uint8Array, mode: number): Promise<void> {
  const folder = dirname(target);
  await ensureFolder(folder);
  const temporary = join(folder, `.${basename(target)}.tmp`);
  // A crash may have left a temporary file, or even a folder, with this name.
  await rm(temporary, { force: true, recursive: true });
  try {
    // Flushed before the rename: otherwise a power cut may leave an empty file under the final name.
    await writeFlushed(await open(temporary, 'wx', mode), data);
    await rename(temporary, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EBUSY') throw error;
      return overwrite(target, temporary, data);
    });
  } catch (error) {
    if (!(error instanceof HalfWrittenError)) await rm(temporary, { force: true });
    throw error;
  }
  // The new content is there: that the folder could not be flushed must not be reported as "nothing was changed".
  await syncFolder(folder).catch(() => {});
}

/** A file that could not be replaced was overwritten in part; its whole new content is in another file. */
class HalfWrittenError extends Error {
  override readonly name = 'HalfWrittenError';
  readonly code = 'half_written';
}

async function overwrite(target: string, complete: string, data: string | Uint8Array): Promise<void> {
  const file = await open(target, 'r+');
  try {
    await file.truncate(0);
    await writeFlushed(file, data);
  } catch (cause) {
    throw new HalfWrittenError(
      `${target} is a mount of its own and could not be written to the end (${(cause as Error).message}); its new content is in ${complete}`,
      { cause },
    );
  }
  await rm(complete, { force: true });
}

async function writeFlushed(file: FileHandle, data: string | Uint8Array): Promise<void> {
  try {
    await file.writeFile(data);
    await file.sync().catch(ignoreUnknown);
  } finally {
    await file.close();
  }
}

/** Removes a file so that a power cut does not bring it back. A missing file is no error. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path)).catch(() => {});
}

/**
 * Flushes a folder to disk: a created, renamed or removed name survives a power cut only after this. File systems that do
 * not know this, as some of network shares do not, are left alone.
 */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync().catch(ignoreUnknown);
  } finally {
    await folder.close();
  }
}

function ignoreUnknown(error: NodeJS.ErrnoException): void {
  if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF'].includes(error.code ?? '')) throw error;
}
