import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone, without a slash at its end. */
export const project = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** @param {string} path below the project @returns {string | undefined} undefined when there is no such file */
export function readProjectFile(path) {
  try {
    return readFileSync(join(project, path), 'utf8');
  } catch {
    return undefined;
  }
}
