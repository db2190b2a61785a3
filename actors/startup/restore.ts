import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { explained } from '../../store/backup/backup-error.ts';
import { type FinishedRestore, restoreBackup } from '../../store/backup/backup-restore.ts';
import { foldersOf, type InstallationFolders } from '../../store/backup/installation-files.ts';
import { finishRestore } from '../../store/backup/restore-journal.ts';
import { loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { runCommand } from '../base/system-commands.ts';
import { detectors } from '../detectors/host/detector-list.ts';
import { CopyProgress } from './copy-progress.ts';
import { giveAsFolder, writtenFiles } from './file-owner.ts';
import { lockFolder } from './folder-lock.ts';

const usage = `usage: npm run restore -- FOLDER [--config FILE] [--storage-dir DIR] [--replace]

Puts the backup in FOLDER in place: configuration, accounts, certificates and the database. The recorder must not run.

  --config FILE      the configuration's file; its folder gets the accounts and monitors. Default: ${defaultConfigFile}
  --storage-dir DIR  the storage folder, with the recordings if they are on this machine. Default: that of FILE if it exists;
                     otherwise that of the backup, beside the folder of FILE if it was there
  --replace          replace an installation that is there; it is kept beside the new one`;

/**
 * Restores a backup.
 *
 * @param args the command line after the program's name.
 * @returns the exit code: 0 if the backup is in place, 1 otherwise; without a summary, nothing was changed then.
 */
export async function restore(args: readonly string[]): Promise<number> {
  const progress = new CopyProgress('Restored');
  try {
    const { folder, configFile, storageDir, isReplacing } = read(args);
    const isFinished = await finishRestore(configFile, lockFolder);
    const present = await presentFolders(configFile);
    if (isFinished && present) await giveAsFolder(runCommand, writtenFiles(present));
    const finished = await restoreBackup({
      ...{ folder, configFile, storageDir, isReplacing },
      present,
      onProgress: (bytes, total) => progress.report(bytes, total),
      lock: (dir) => lockFolder(dir, 0),
    });
    process.stdout.write(summary(finished));
    const { targets, kept } = finished;
    await giveAsFolder(runCommand, [...newFolders(finished), ...writtenFiles(targets), ...kept]);
    return 0;
  } catch (error) {
    process.stderr.write(`${explained(error).message}\n`);
    return 1;
  } finally {
    progress.end();
  }
}

function read(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    const options = { config: text, 'storage-dir': text, replace: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [folder, ...others] = positionals;
    if (folder === undefined || others.length > 0) throw new Error('expected one FOLDER');
    return {
      folder,
      configFile: values.config ?? defaultConfigFile,
      storageDir: values['storage-dir'],
      isReplacing: values.replace ?? false,
    };
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

/** Those of a configuration that is missing, or cannot be read any more, are unknown. */
async function presentFolders(configFile: string): Promise<InstallationFolders | undefined> {
  const found = await loadConfig(configFile, { create: false, detectors }).catch(() => undefined);
  return found && foldersOf(found.config);
}

/** Those of root that had no installation before: where root runs the recorder, its folders stay root's. */
function newFolders({ targets, kept }: FinishedRestore): readonly string[] {
  const folders = new Set([dirname(targets.configFile), targets.configDir, targets.storageDir]);
  const before = kept.map((folder) => dirname(folder));
  return [...folders].filter((folder) => !before.includes(folder) && statSync(folder).uid === 0);
}

const sharedAgain =
  'This is a machine of a cluster: when it hears the others, their accounts and monitors replace those of the backup. "Backup" in the README says how all machines get them';

function summary({ manifest, targets, kept, hasRecordings, isOfCluster }: FinishedRestore): string {
  const { configFile, configDir, storageDir } = targets;
  const lines = [
    `Restored the backup of ${manifest.time}, made by version ${manifest.version}`,
    `Configuration: ${configFile}; accounts and monitors: ${configDir}; database: ${storageDir}`,
    ...kept.map((folder) => `The installation before is kept in ${folder}`),
    hasRecordings
      ? 'After the start, npm run verify -- --repair adds recordings that are newer than the backup to the catalogue'
      : `${storageDir} has no recordings. If they are on a disk that is not mounted, mount it and restore again`,
    ...(isOfCluster ? [sharedAgain] : []),
  ];
  return `${lines.join('\n')}\n`;
}
