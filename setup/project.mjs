import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of the clone, without a trailing slash. */
export const project = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** @param {string} path below the project @returns {string | undefined} undefined if the file is missing */
export function readProjectFile(path) {
  try {
    return readFileSync(join(project, path), 'utf8');
  } catch {
    return undefined;
  }
}
