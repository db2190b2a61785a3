import { basename, dirname, join } from 'node:path';
import { logFileName } from '../log/log-file.ts';
import type { BackupManifest } from './backup-manifest.ts';
import { type ExternalKey, externalKeys, pathIn } from './config-text.ts';
import {
  configFilePath,
  configNames,
  externalName,
  type InstallationFolders,
  sessionsName,
  sharedCopyName,
  storageNames,
} from './installation-files.ts';
import { exists, type RestoreJournal } from './restore-journal.ts';

/** Beside everything that is replaced, until it is. */
const stagingName = '.restore';

/** A file of a backup, and where it waits to be put in place. */
export interface StagedFile {
  /** In the backup. */
  readonly path: string;
  readonly staged: string;
  readonly bytes: number;
  readonly mode: number;
}

export interface RestoreItems {
  /** All but the configuration's own file. */
  readonly files: readonly StagedFile[];
  readonly configFile: StagedFile;
  /** Files that the configuration names and that are not on this machine, with where they will be. */
  readonly external: ReadonlyMap<ExternalKey, string>;
  readonly journal: RestoreJournal;
}

/**
 * What a restore puts where, and what it moves aside.
 *
 * @param text of the configuration in the backup.
 * @param keepsBus whether what the bus has stays.
 */
export async function restoreItems(
  manifest: BackupManifest,
  text: string,
  { configFile, configDir, storageDir }: Omit<InstallationFolders, 'mediaDir'>,
  keepsBus: boolean,
): Promise<RestoreItems> {
  const files: StagedFile[] = [];
  const places = new Map<string, string>();
  const place = (prefix: string, folder: string, names: readonly string[]) => {
    for (const { path, bytes, mode } of manifest.files) {
      if (!names.some((name) => path === `${prefix}/${name}` || path.startsWith(`${prefix}/${name}/`)))
        continue;
      const staged = join(folder, stagingName, path.slice(prefix.length + 1));
      // The mark of the storage, if both folders are one.
      if (files.some((file) => file.staged === staged)) continue;
      files.push({ path, staged, bytes, mode });
    }
    for (const name of names) places.set(join(folder, name), join(folder, stagingName, name));
  };
  place('config', configDir, configNames);
  for (const name of [sessionsName, sharedCopyName])
    places.set(join(configDir, name), join(configDir, stagingName, name));
  // The journal of the old database first: with the new one it would be wrong.
  place('storage', storageDir, [`${logFileName}.wal`, logFileName, ...storageNames]);
  if (!keepsBus) place('storage', storageDir, ['bus']);

  const external = new Map<ExternalKey, string>();
  const externalDir = join(configDir, externalName);
  for (const key of externalKeys) {
    const found = manifest.files.find(({ path }) => path === `external/${key}`);
    const named = pathIn(text, key);
    if (!found || named === undefined) continue;
    if (dirname(named) !== externalDir && (await exists(named))) continue;
    external.set(key, join(externalDir, key));
    files.push({ ...found, staged: join(configDir, stagingName, externalName, key) });
  }
  places.set(externalDir, join(configDir, stagingName, externalName));

  const own = manifest.files.find(({ path }) => path === configFilePath);
  const staged = join(dirname(configFile), stagingName, basename(configFile));
  places.set(configFile, staged);
  const coming = [staged, ...files.map((file) => file.staged)];
  const aside = `before-restore-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`;
  const moves = [...places].map(([target, waiting]) => {
    const comes = coming.some((path) => path === waiting || path.startsWith(`${waiting}/`));
    return {
      staged: comes ? waiting : null,
      target,
      aside: join(dirname(target), aside, basename(target)),
    };
  });
  const staging = [...new Set(moves.map(({ target }) => join(dirname(target), stagingName)))];
  return {
    files,
    configFile: { path: configFilePath, staged, bytes: own?.bytes ?? 0, mode: own?.mode ?? 0o640 },
    external,
    journal: { storageDir, moves, staging },
  };
}
