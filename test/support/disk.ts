import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, stat, statfs, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/**
 * As {@link smallDisk}, but a disk with a file system (ext4) that can be frozen.
 *
 * @returns undefined where this process may not mount one.
 */
export async function loopDisk(megabytes: number): Promise<string | undefined> {
  const folder = await temporaryFolder();
  const [image, path] = [join(folder, 'image'), join(folder, 'disk')];
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'ignore' });
  await mkdir(path);
  try {
    run('truncate', `--size=${megabytes * 1_000_000}`, image);
    run('mkfs.ext4', '-q', '-m', '0', image);
    run('mount', '-o', 'loop', image, path);
  } catch {
    return undefined;
  }
  atEnd(async () => void run('umount', '--lazy', path));
  return path;
}

/** For so long nothing is written to the disk: whoever tries has to wait. */
export async function freeze(disk: string, ms: number): Promise<void> {
  execFileSync('fsfreeze', ['--freeze', disk]);
  try {
    await sleep(ms);
  } finally {
    execFileSync('fsfreeze', ['--unfreeze', disk]);
  }
}

/** Makes a folder read-only for all that is opened from now on. @returns ends it. */
export function makeReadOnly(folder: string): () => void {
  execFileSync('mount', ['--bind', folder, folder]);
  execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
  return () => void execFileSync('umount', ['--lazy', folder]);
}

/** Makes a file so large, or so small, that its disk has so many megabytes left. */
export async function leaveFree(file: string, megabytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(file));
  const more = Math.round(bavail * bsize - megabytes * 1e6);
  if (more > 0) await appendFile(file, Buffer.alloc(more));
  else await truncate(file, (await stat(file)).size + more);
}

/** Makes a file a mount of its own, as containers have it. @returns false where this process may not mount one. */
export function mountOverItself(file: string): boolean {
  try {
    execFileSync('mount', ['--bind', file, file], { stdio: 'ignore' });
  } catch {
    return false;
  }
  atEnd(async () => void execFileSync('umount', ['--lazy', file]));
  return true;
}
