import { mkdir, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ensureFolder, syncFolder, writeAtomically } from '../../bus/base/files.ts';
import { BackupError } from './backup-error.ts';
import { type BackupManifest, checkFiles, readManifest } from './backup-manifest.ts';
import { isOfCluster, withPaths } from './config-text.ts';
import { copyFile } from './file-copy.ts';
import { configFilePath, type InstallationFolders } from './installation-files.ts';
import { type RestoreItems, restoreItems } from './restore-items.ts';
import { commitRestore, exists } from './restore-journal.ts';
import { changedPaths, type RestoreChoices, restoreTargets } from './restore-targets.ts';

/** Bytes that a disk needs beside the files themselves. */
const spareBytes = 16e6;

export interface RestoreOrder extends RestoreChoices {
  /** The backup. */
  readonly folder: string;
  /** Replace an installation that is there. */
  readonly isReplacing: boolean;
  /** Called with bytes that were copied, of `total`. It may throw, to end the restore; nothing was changed then. */
  onProgress(copied: number, total: number): void;
  /** Keeps recorders away from a storage folder until this process ends. @throws if one runs there. */
  lock(storageDir: string): Promise<unknown>;
}

export interface FinishedRestore {
  readonly manifest: BackupManifest;
  readonly targets: Omit<InstallationFolders, 'mediaDir'>;
  /** The folders in which the installation that was there is kept. */
  readonly kept: readonly string[];
  readonly hasRecordings: boolean;
  /** The machine will take the cluster's accounts and monitors in place of those of the backup. */
  readonly isOfCluster: boolean;
}

/**
 * Puts a backup in place of what is there. Until all of it is on the disks nothing changes; a restore that is killed after that
 * is finished by the next start.
 *
 * @throws {BackupError} and errors of the file system; nothing was changed then, unless it is about to be finished.
 */
export async function restoreBackup(order: RestoreOrder): Promise<FinishedRestore> {
  const folder = resolve(order.folder);
  const manifest = await readManifest(folder);
  await checkFiles(folder, manifest);
  const text = await readFile(join(folder, configFilePath), 'utf8');
  const targets = restoreTargets(manifest.folders, order);
  for (const needed of [targets.storageDir, targets.configDir, dirname(targets.configFile)])
    await ensureFolder(needed);
  const presentDir = order.present?.storageDir ?? targets.storageDir;
  for (const storageDir of new Set([targets.storageDir, presentDir]))
    if (await exists(storageDir)) await order.lock(storageDir);

  const [mark, known] = [targets.storageDir, join(folder, 'storage')].map((at) => readMark(at));
  // The bus of this installation has what came after the backup: the database continues from its place there.
  const keepsBus = (await mark) !== undefined && (await mark) === (await known);
  const items = await restoreItems(manifest, text, targets, keepsBus);
  const replaced: string[] = [];
  const kept = new Set<string>();
  for (const { target, aside } of items.journal.moves) {
    if (!(await exists(target))) continue;
    replaced.push(target);
    kept.add(dirname(aside));
  }
  if (replaced.length > 0 && !order.isReplacing) {
    throw new BackupError(
      `there is an installation already (${replaced.join(', ')}). --replace replaces it, and keeps it beside the new one`,
    );
  }
  const paths = new Map([...changedPaths(text, manifest.folders, targets), ...items.external]);
  try {
    await stage(folder, items, withPaths(text, paths), order.onProgress);
  } catch (error) {
    for (const staging of items.journal.staging) await rm(staging, { recursive: true, force: true });
    throw error;
  }
  await commitRestore(targets.configFile, items.journal);
  const hasRecordings = await exists(join(targets.storageDir, 'recordings'));
  return { manifest, targets, kept: [...kept], hasRecordings, isOfCluster: isOfCluster(text) };
}

const readMark = (folder: string): Promise<string | undefined> =>
  readFile(join(folder, 'storage-id'), 'utf8').catch(() => undefined);

async function stage(
  folder: string,
  { files, configFile, journal }: RestoreItems,
  configText: string,
  onProgress: RestoreOrder['onProgress'],
): Promise<void> {
  for (const staging of journal.staging) {
    // Of a restore that was killed.
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { mode: 0o700 });
    const inside = files.filter(({ staged }) => staged.startsWith(`${staging}/`));
    const bytes = inside.reduce((sum, file) => sum + file.bytes, 0);
    const { bavail, bsize } = await statfs(staging);
    if (bavail * bsize < bytes + spareBytes) {
      throw new BackupError(`there is no room for ${(bytes / 1e6).toFixed(1)} MB in ${dirname(staging)}`);
    }
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let copied = 0;
  const onBytes = (bytes: number) => {
    copied += bytes;
    onProgress(copied, total);
  };
  const made = new Set(journal.staging);
  for (const { path, staged, mode } of files) {
    await ensureFolder(dirname(staged));
    for (let at = dirname(staged); !made.has(at); at = dirname(at)) made.add(at);
    await copyFile(join(folder, path), staged, { mode, onBytes });
  }
  await writeAtomically(configFile.staged, configText, configFile.mode);
  for (const each of made) await syncFolder(each);
}
