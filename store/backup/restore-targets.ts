import { dirname, join, relative, resolve, sep } from 'node:path';
import { type PathKey, pathIn } from './config-text.ts';
import type { InstallationFolders } from './installation-files.ts';

export interface RestoreChoices {
  readonly configFile: string;
  /** The folders of the installation that is there. */
  readonly present: InstallationFolders | undefined;
  /** If it was chosen. */
  readonly storageDir: string | undefined;
}

/**
 * Where a backup goes on this machine: where the present installation has its folders; otherwise the configuration is in the
 * folder of its file, and a storage folder that was beside that folder is beside it again.
 */
export function restoreTargets(
  before: InstallationFolders,
  { configFile: given, present, storageDir: chosen }: RestoreChoices,
): Omit<InstallationFolders, 'mediaDir'> {
  const configFile = resolve(given);
  const [oldHome, home] = [dirname(dirname(before.configFile)), dirname(dirname(configFile))];
  const beside = oldHome !== sep && isBelow(before.storageDir, oldHome);
  const usual = beside ? join(home, relative(oldHome, before.storageDir)) : before.storageDir;
  return {
    configFile,
    configDir: present?.configDir ?? dirname(configFile),
    storageDir: resolve(chosen ?? present?.storageDir ?? usual),
  };
}

/** The paths that change in the text of the configuration. */
export function changedPaths(
  text: string,
  before: InstallationFolders,
  { configDir, storageDir }: Omit<InstallationFolders, 'mediaDir'>,
): Map<PathKey, string> {
  const paths = new Map<PathKey, string>([
    ['storage_dir', storageDir],
    ['config_dir', configDir],
  ]);
  if (pathIn(text, 'media_dir') !== undefined && isBelow(before.mediaDir, before.storageDir)) {
    paths.set('media_dir', join(storageDir, relative(before.storageDir, before.mediaDir)));
  }
  return paths;
}

const isBelow = (path: string, folder: string) => path.startsWith(`${folder}${sep}`);
