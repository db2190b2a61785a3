import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { syncFolder } from '../../bus/base/files.ts';
import { LogArchive } from '../log/export/log-archive.ts';
import { logFileName } from '../log/log-file.ts';
import { BackupError } from './backup-error.ts';
import { type BackupFile, type BackupManifest, writeManifest } from './backup-manifest.ts';
import { copyDatabase, type DatabaseOwner } from './database-copy.ts';
import { copyFile, hashOf } from './file-copy.ts';
import { type InstallationFolders, installedFiles } from './installation-files.ts';

/** Bytes that a disk needs beside the files themselves. */
const spareBytes = 16e6;

export interface BackupOrder {
  /** A new folder, or an empty one. */
  readonly folder: string;
  readonly folders: InstallationFolders;
  /** Of the configuration. */
  readonly text: string;
  /** Of the program. */
  readonly version: string;
  readonly owner: DatabaseOwner;
  /** Called with bytes that were copied, of `total`. It may throw, to end the backup. */
  onProgress(copied: number, total: number): void;
  /** Keeps other processes away from a folder until this one ends. @throws if one of them does the same. */
  lock(folder: string): Promise<unknown>;
}

export interface FinishedBackup {
  readonly manifest: Omit<BackupManifest, 'format'>;
  readonly entries: number;
  readonly events: number;
  readonly recordings: number;
}

/**
 * Copies configuration, accounts and database to a folder, which appears under its name when everything is on the disk.
 *
 * @throws {BackupError} and errors of the file system; there is no folder then.
 */
export async function writeBackup(order: BackupOrder): Promise<FinishedBackup> {
  const target = resolve(order.folder);
  await checkTarget(target, order.folders.storageDir);
  const partial = join(dirname(target), `.${basename(target)}.partial`);
  await mkdir(partial, { recursive: true, mode: 0o700 });
  await order.lock(partial);
  try {
    // Of a backup that was killed.
    for (const name of await readdir(partial)) await rm(join(partial, name), { recursive: true });
    const finished = await fill(partial, order);
    await rename(partial, target);
    await syncFolder(dirname(target));
    return finished;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function checkTarget(target: string, storageDir: string): Promise<void> {
  const parent = dirname(target);
  const found = await stat(parent).catch(() => undefined);
  if (!found?.isDirectory()) throw new BackupError(`${parent} is no folder. Is its disk mounted?`);
  if (`${target}${sep}`.startsWith(`${storageDir}${sep}`)) {
    throw new BackupError(
      `${target} is in the storage folder, with which it would be lost: choose another disk`,
    );
  }
  const there = await stat(target).catch(() => undefined);
  if (!there) return;
  if (!there.isDirectory() || (await readdir(target)).length > 0) {
    throw new BackupError(`${target} is not empty: name a new folder`);
  }
  if (there.dev !== found.dev) throw new BackupError(`${target} is a whole disk: name a folder on it`);
}

async function fill(partial: string, order: BackupOrder): Promise<FinishedBackup> {
  const { folders, text, version, owner, onProgress } = order;
  const time = new Date().toISOString();
  const database = join(folders.storageDir, logFileName);
  const files = await installedFiles(folders, text);
  const databaseBytes = (await stat(database)).size;
  const total = files.reduce((sum, { bytes }) => sum + bytes, databaseBytes);
  const { bavail, bsize } = await statfs(partial);
  if (bavail * bsize < total + spareBytes) {
    throw new BackupError(
      `there is no room for ${megabytes(total)} in ${dirname(partial)}: ${megabytes(bavail * bsize)} are free`,
    );
  }
  let copied = 0;
  const onBytes = (bytes: number) => {
    copied += bytes;
    onProgress(copied, total);
  };
  const made = new Set([partial]);
  const place = async (path: string) => {
    const to = join(partial, path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    for (let folder = dirname(to); folder !== partial; folder = dirname(folder)) made.add(folder);
    return to;
  };
  const databasePath = `storage/${logFileName}`;
  const copy = await place(databasePath);
  // First, so that what is configured meanwhile is newer than the log, not missing in both.
  await copyDatabase({ from: database, to: copy, onBytes }, owner);
  for (const { from, path } of files) await copyFile(from, await place(path), { mode: 0o600, onBytes });
  const content = await readBack(copy).catch((cause: Error) => {
    throw new BackupError(`the database is damaged, so there is no backup of it: ${cause.message}`, {
      cause,
    });
  });
  const { mode } = await stat(database);
  const listed: BackupFile[] = [];
  for (const file of [...files, { path: databasePath, mode: mode & 0o777 }]) {
    const at = join(partial, file.path);
    listed.push({ path: file.path, bytes: (await stat(at)).size, sha256: await hashOf(at), mode: file.mode });
  }
  for (const folder of made) await syncFolder(folder);
  const manifest = { version, time, folders, files: listed };
  await writeManifest(partial, manifest);
  return { manifest, ...content };
}

async function readBack(copy: string) {
  const archive = await LogArchive.open(copy);
  return archive.measure().finally(() => archive.close());
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
