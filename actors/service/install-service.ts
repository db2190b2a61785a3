import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Accounts } from '../../store/accounts/accounts.ts';
import { type Config, loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { Monitors } from '../../store/monitors/monitors.ts';
import { type RunCommand, ServiceError } from '../base/system-commands.ts';
import { loadTieBreaker } from '../cluster/tie-breaker.ts';
import { detectors } from '../detectors/host/detector-list.ts';
import { makeAdmin, makeDemo } from '../startup/first-start.ts';
import { lockFolder } from '../startup/folder-lock.ts';
import { openStorage } from '../startup/storage-mark.ts';
import { ensureUser, giveToService, requireOwnFolder, requireSystemd, startUnit } from './installed-unit.ts';
import { type ServicePlace, serviceName, serviceUnit, stateDir, unitFile } from './service-unit.ts';

export interface ServiceInstallation {
  /** The clone. */
  readonly project: string;
  /** Its configuration; one of its own below `/var/lib/sentrybus` by default. */
  readonly configFile: string | undefined;
  /** Whether it is a machine that only votes in a cluster. */
  readonly isTieBreaker: boolean;
}

/** What is ready to be started. */
interface Prepared {
  readonly place: Omit<ServicePlace, 'user' | 'node' | 'project' | 'workingDir' | 'isTieBreaker'>;
  /** What to tell its user before and after what every service has. */
  readonly intro: string;
  readonly more: string;
}

/**
 * Installs the service, or brings an installed one up to date, and waits until it serves.
 *
 * @returns what to tell its user: where things are, and the login if an account was made.
 * @throws {ServiceError} if this machine or user does not allow it, or the recorder does not serve.
 */
export async function installService(
  run: RunCommand,
  { project, configFile, isTieBreaker }: ServiceInstallation,
): Promise<string> {
  requireSystemd('install');
  const file = configFile ?? join(stateDir, defaultConfigFile);
  const own = join(project, defaultConfigFile);
  if (configFile === undefined && existsSync(own) && !existsSync(file)) {
    throw new ServiceError(
      `There is a configuration already, ${own}: with \`--config ${own}\` the service goes on with it and its recordings, with \`--config ${file}\` it begins anew`,
    );
  }
  await ensureUser(run);
  const isRunning = (await run('systemctl', 'is-active', '--quiet', serviceName)).code === 0;
  // Where `npm start` ran, so that relative paths of a configuration mean the same; a new one names absolute paths.
  const workingDir = configFile === undefined ? stateDir : project;
  await mkdir(stateDir, { recursive: true, mode: 0o750 });
  process.chdir(workingDir);
  const { place, intro, more } = isTieBreaker
    ? await prepareTieBreaker(file, project)
    : await prepareRecorder(file, { project, isRunning });
  await giveToService(run, [stateDir, place.configDir, place.storageDir]);
  const ours = { user: serviceName, node: process.execPath, project, workingDir, isTieBreaker };
  await startUnit(run, serviceUnit({ ...place, ...ours }));
  return `${intro}
configuration  ${place.configFile}
unit           ${unitFile}
log            journalctl -u ${serviceName} -f${more}
`;
}

interface RecorderOptions {
  readonly project: string;
  readonly isRunning: boolean;
}

/** Configuration, first account and first monitor, as the first start makes them: so a password is shown here, not logged. */
async function prepareRecorder(file: string, { project, isRunning }: RecorderOptions): Promise<Prepared> {
  const create = file === join(stateDir, defaultConfigFile);
  const { config, created } = await loadConfig(file, { create, detectors });
  requireOwnFolder('config_dir', config.configDir, project);
  requireOwnFolder('storage_dir', config.storageDir, project);
  const login = isRunning ? undefined : await makeFirst(config, created);
  const scheme = config.tls.mode === 'off' ? 'http' : 'https';
  return {
    place: { ...config, configFile: config.file },
    intro: `Sentrybus runs, and starts with the machine.
${login ? `\n  Log in as ${login.username} with the password ${login.password}\n` : ''}
pages          ${scheme}://127.0.0.1:${config.port}
recordings     ${join(config.storageDir, 'recordings')}`,
    more: `    (of one monitor: journalctl MONITOR=door)
read its configuration again: systemctl reload ${serviceName}`,
  };
}

/** @returns the login of a new account. */
async function makeFirst(config: Config, isNew: boolean) {
  // Not a new folder where a disk is not mounted.
  await openStorage({ ...config, isNew: false });
  const release = await lockFolder(config.storageDir, 0);
  try {
    const accounts = await Accounts.open(config.configDir);
    const login = await makeAdmin(accounts, process.env['SENTRYBUS_ADMIN_PASSWORD']);
    const monitors = await Monitors.open(config.configDir, { detectors, mediaDir: config.mediaDir });
    if (isNew) await makeDemo(monitors);
    return login;
  } finally {
    release();
  }
}

async function prepareTieBreaker(file: string, project: string): Promise<Prepared> {
  const { file: configFile, cluster, storageDir } = await loadTieBreaker(file);
  const configDir = dirname(configFile);
  requireOwnFolder('the folder of its configuration', configDir, project);
  requireOwnFolder('storage_dir', storageDir, project);
  await mkdir(storageDir, { recursive: true, mode: 0o750 });
  return {
    place: { configFile, configDir, storageDir, mediaDir: storageDir, port: 0 },
    intro: `This machine votes as ${cluster.name}, and does so from each start of it.\n`,
    more: '',
  };
}
