import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { externalKeys, pathIn } from './config-text.ts';

/** The folders and the file that an installation consists of: absolute paths. */
export interface InstallationFolders {
  readonly configFile: string;
  readonly configDir: string;
  readonly storageDir: string;
  readonly mediaDir: string;
}

/** What a backup holds of the folder of the configuration, beside `sentryshot.toml`. */
export const configNames = ['accounts.json', 'monitors', 'tls', 'models', 'tflite.toml', 'storage-id'];
/** In no backup: a session that was ended since must not come back. */
export const sessionsName = 'sessions.json';
/** In no backup: it says which of the cluster's changes the files have, and those of a backup have others. */
export const sharedCopyName = 'cluster.json';
/** Where a restore puts files that the configuration names, a certificate for example, and that are not on this machine. */
export const externalName = 'external';
/** What it holds of the storage folder, beside the database. */
export const storageNames = ['storage-id', 'installation-id'];
/** The name of the configuration's file in a backup, whatever its name is. */
export const configFilePath = 'config/sentryshot.toml';

/** A file to copy. */
export interface InstalledFile {
  readonly from: string;
  /** Its path in the backup. */
  readonly path: string;
  readonly bytes: number;
  readonly mode: number;
}

export const foldersOf = ({ file, configDir, storageDir, mediaDir }: Config): InstallationFolders => {
  return { configFile: file, configDir, storageDir, mediaDir };
};

/**
 * All files of a backup but the database.
 *
 * @param text of the configuration.
 * @throws errors of the file system.
 */
export async function installedFiles(
  { configFile, configDir, storageDir }: InstallationFolders,
  text: string,
): Promise<InstalledFile[]> {
  const found = [await fileAt(configFile, configFilePath)];
  for (const name of configNames) found.push(...(await below(join(configDir, name), `config/${name}`)));
  for (const name of storageNames) found.push(await fileAt(join(storageDir, name), `storage/${name}`));
  for (const key of externalKeys) {
    const file = pathIn(text, key);
    if (file !== undefined) found.push(await fileAt(file, `external/${key}`));
  }
  return found.filter((file) => file !== undefined);
}

/** Hidden files are temporary ones. */
async function below(from: string, path: string): Promise<(InstalledFile | undefined)[]> {
  const entries = await readdir(from).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!entries) return [await fileAt(from, path)];
  const names = entries.filter((name) => !name.startsWith('.')).sort();
  const found = await Promise.all(names.map((name) => below(join(from, name), `${path}/${name}`)));
  return found.flat();
}

/** @returns undefined if it is gone. */
async function fileAt(from: string, path: string): Promise<InstalledFile | undefined> {
  const found = await stat(from).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found?.isFile() ? { from, path, bytes: found.size, mode: found.mode & 0o777 } : undefined;
}
