import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { StoreError } from '../base/store-error.ts';

const pointer = '/sourcefile/path';

/**
 * Finds the file that a monitor with the source `file` plays, behind every symbolic link.
 *
 * @param path relative to `mediaDir`, as in the configuration.
 * @returns the real, absolute path. Open this one: it has been looked at.
 * @throws {StoreError} `not_found`; `invalid` when it leads out of `mediaDir` or is no file.
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
  // A pipe or a device would block whoever opens it.
  if (!(await stat(file)).isFile()) throw new StoreError('invalid', 'expected a file', { pointer });
  return file;
}
