import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../bus/log.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import { type Config, loadConfig } from '../../store/config/config.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';

interface StoredFiles {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly monitors: Monitors;
}

/** Where the parts of a configuration that are read at the start only are in the file. */
const startKeys: readonly (readonly [keyof Config, string])[] = [
  ['host', 'host'],
  ['port', 'port'],
  ['storageDir', 'storage_dir'],
  ['configDir', 'config_dir'],
  ['mediaDir', 'media_dir'],
  ['auth', 'plugin.auth_basic'],
  ['detectors', 'plugin'],
  ['mqtt', 'plugin.mqtt'],
  ['tls', 'tls'],
  ['trustedProxies', 'trusted_proxies'],
  ['basePath', 'base_path'],
  ['monitorsPerProcess', 'monitors_per_process'],
  ['cluster', 'cluster'],
  ['bus', 'bus'],
  ['logs', 'logs'],
];

/**
 * Reads configuration, accounts and monitors again, and takes over what was changed by hand. A file that is wrong changes
 * nothing but the log. The caller applies what is in `config` and `monitors` then.
 */
export async function reloadFiles({ config, accounts, monitors }: StoredFiles, log: Log): Promise<void> {
  const attempt = async (read: () => Promise<void>) => {
    try {
      await read();
    } catch (error) {
      log.error(`not read again: ${(error as Error).message}`);
    }
  };
  log.info('SIGHUP: reading configuration, accounts and monitors again');
  await attempt(async () => {
    const { config: next } = await loadConfig(config.file, {
      create: false,
      detectors: monitors.detectors,
    });
    const later = takeOver(config, next);
    for (const warning of next.warnings) log.warning(warning);
    if (later.length > 0) log.warning(`${config.file}: ${later.join(', ')}: used after the next start`);
  });
  await attempt(async () => {
    for (const warning of await accounts.reload()) log.warning(warning);
  });
  await attempt(async () => {
    for (const { file, monitorID, error } of await monitors.reload())
      log.error(`${file}: ${error}`, monitorID);
  });
}

/** @returns the keys whose changes wait for the next start. */
function takeOver(config: Config, next: Config): string[] {
  config.maxDiskUsage = next.maxDiskUsage;
  config.debugLogStdout = next.debugLogStdout;
  config.logs.repeatLimit = next.logs.repeatLimit;
  const changed = startKeys.filter(([key]) => !isDeepStrictEqual(config[key], next[key]));
  return changed.map(([, name]) => name);
}
