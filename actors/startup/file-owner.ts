import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  configNames,
  externalName,
  type InstallationFolders,
  storageNames,
} from '../../store/backup/installation-files.ts';
import { logFileName } from '../../store/log/log-file.ts';
import { mustRun, type RunCommand } from '../base/system-commands.ts';

/**
 * Gives files, and folders with what is in them, to a user; of a link itself, not what it leads to.
 *
 * @param owner `user:group`, by name or number.
 * @throws {ServiceError} with the words of chown.
 */
export async function giveFiles(run: RunCommand, owner: string, paths: readonly string[]): Promise<void> {
  await mustRun(run, 'chown', '--recursive', '--no-dereference', owner, '--', ...paths);
}

/**
 * Gives what root has written to those who have the folder that it is in: their recorder could not read it. In a folder of root it
 * stays root's. Does nothing where another user runs this program.
 *
 * @param paths of files and folders, each after the folder that it is in; those that are not there are left out.
 * @throws {ServiceError} with the words of chown.
 */
export async function giveAsFolder(run: RunCommand, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const { uid, gid } = await stat(dirname(path));
    if (uid !== 0) await giveFiles(run, `${uid}:${gid}`, [path]);
  }
}

/** The files of an installation that a restore or a backup may write. */
export function writtenFiles(folders: Omit<InstallationFolders, 'mediaDir'>): readonly string[] {
  const { configFile, configDir, storageDir } = folders;
  return [
    configFile,
    ...[...configNames, externalName].map((name) => join(configDir, name)),
    ...[...storageNames, logFileName, `${logFileName}.wal`, 'bus'].map((name) => join(storageDir, name)),
  ];
}
