import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { StoreError } from '../base/store-error.ts';

const pointer = '/sourcefile/path';

/**
 * Resolves the file that a monitor with the source `file` plays, symbolic links included.
 *
 * @param path relative to `mediaDir`, as in the configuration.
 * @returns the real, absolute path. Open this path: only it has been checked.
 * @throws {StoreError} `not_found`; `invalid` if the path leads out of `mediaDir` or is not a regular file.
 */
export async function resolveMediaFile(mediaDir: string, path: string): Promise<string> {
  let root: string;
  let file: string;
  try {
    root = await realpath(mediaDir);
    file = await realpath(join(root, path));
  } catch (cause) {
    throw new StoreError('not_found', 'there is no such file in the media folder', { pointer, cause });
  }
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new StoreError('invalid', 'expected a file in the media folder', { pointer });
  }
  // Opening a pipe or a device may block.
  if (!(await stat(file)).isFile()) throw new StoreError('invalid', 'expected a file', { pointer });
  return file;
}
