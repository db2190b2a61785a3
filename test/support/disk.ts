import { execFileSync } from 'node:child_process';
import { appendFile, stat, statfs, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

/**
 * A disk of its own, in memory, that is gone when the test is over.
 *
 * @returns its folder; undefined where this process may not mount one.
 */
export async function smallDisk(megabytes: number): Promise<string | undefined> {
  const folder = await temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes * 1_000_000}`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  // Lazily: a process that is just ending may still have a file open in it.
  atEnd(async () => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

/** Makes a file so large, or so small, that its disk has so many megabytes left. */
export async function leaveFree(file: string, megabytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(file));
  const more = Math.round(bavail * bsize - megabytes * 1e6);
  if (more > 0) await appendFile(file, Buffer.alloc(more));
  else await truncate(file, (await stat(file)).size + more);
}
