import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../bus/base/files.ts';
import { Accounts } from '../../store/accounts/accounts.ts';
import { type Config, loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { Monitors } from '../../store/monitors/monitors.ts';
import { detectors } from '../detectors/host/detector-list.ts';
import { makeAdmin, makeDemo } from '../startup/first-start.ts';
import { lockFolder } from '../startup/folder-lock.ts';
import { openStorage } from '../startup/storage-mark.ts';
import { serviceName, serviceUnit, stateDir, unitFile } from './service-unit.ts';
import { mustRun, type RunCommand, ServiceError } from './system-commands.ts';

export interface ServiceInstallation {
  /** The clone. */
  readonly project: string;
  /** Its configuration; one of its own below `/var/lib/sentrybus` by default. */
  readonly configFile: string | undefined;
}

/**
 * Installs the service, or brings an installed one up to date, and waits until it serves.
 *
 * @returns what to tell its user: where things are, and the login if an account was made.
 * @throws {ServiceError} if this machine or user does not allow it, or the recorder does not serve.
 */
export async function installService(
  run: RunCommand,
  { project, configFile }: ServiceInstallation,
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
  const isInstalled = existsSync(unitFile);
  // Where `npm start` ran, so that relative paths of a configuration mean the same; a new one names absolute paths.
  const workingDir = configFile === undefined ? stateDir : project;
  const { config, login } = await prepare(file, { workingDir, project, isRunning });
  await giveToService(run, [stateDir, config.configDir, config.storageDir]);
  const unit = serviceUnit({
    ...config,
    user: serviceName,
    node: process.execPath,
    project,
    workingDir,
    configFile: config.file,
  });
  await writeAtomically(unitFile, unit);
  await chmod(unitFile, 0o644);
  await mustRun(run, 'systemctl', 'daemon-reload');
  await mustRun(run, 'systemctl', 'enable', serviceName);
  const started = await run('systemctl', 'restart', serviceName);
  if (started.code !== 0) {
    if (!isInstalled) await run('systemctl', 'disable', '--now', serviceName);
    const { output } = await run(
      'journalctl',
      '--unit',
      serviceName,
      '--lines',
      '10',
      '--no-pager',
      '--output',
      'cat',
    );
    throw new ServiceError(
      `The service does not start. Its last lines:\n  ${output.replaceAll('\n', '\n  ')}`,
    );
  }
  return whereThingsAre(config, login);
}

/** @throws {ServiceError} */
export function requireSystemd(action: string): void {
  if (!existsSync('/run/systemd/system')) {
    throw new ServiceError('This machine does not run systemd: start the recorder with `npm start`');
  }
  if (process.getuid?.() !== 0) {
    throw new ServiceError(`Only root may do this: sudo npm run service -- ${action}`);
  }
}

async function ensureUser(run: RunCommand): Promise<void> {
  if ((await run('getent', 'passwd', serviceName)).code === 0) return;
  const options = ['--system', '--user-group', '--home-dir', stateDir, '--shell', '/usr/sbin/nologin'];
  await mustRun(run, 'useradd', ...options, serviceName);
}

/** Gives folders, and what is in them, to the service's user. */
export async function giveToService(run: RunCommand, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await mustRun(run, 'chown', '--recursive', '--no-dereference', `${serviceName}:${serviceName}`, folder);
  }
}

/** Folders of the system: their files are not the recorder's. `/srv/nvr` and `/etc/nvr` may be, `/srv` and `/etc` may not. */
const systemFolders = /^\/[^/]*$|^\/(bin|boot|dev|lib\w*|proc|run|sbin|sys|usr)\/|^\/(var|home)\/[^/]+$/;

/** @throws {ServiceError} if a folder would be given to the service's user that holds other things as well. */
function requireOwnFolder(key: string, folder: string, project: string): void {
  const holdsProgram = project === folder || project.startsWith(`${folder}/`);
  if (!holdsProgram && !systemFolders.test(folder)) return;
  const what = holdsProgram ? 'contains the program' : 'is a folder of the system';
  throw new ServiceError(`${key} is ${folder}, which ${what}: the service needs a folder of its own there`);
}

interface PrepareOptions {
  readonly workingDir: string;
  readonly project: string;
  readonly isRunning: boolean;
}

/** Configuration, first account and first monitor, as the first start makes them: so a password is shown here, not logged. */
async function prepare(file: string, { workingDir, project, isRunning }: PrepareOptions) {
  await mkdir(stateDir, { recursive: true, mode: 0o750 });
  process.chdir(workingDir);
  const create = file === join(stateDir, defaultConfigFile);
  const { config, created } = await loadConfig(file, { create, detectors });
  requireOwnFolder('config_dir', config.configDir, project);
  requireOwnFolder('storage_dir', config.storageDir, project);
  if (isRunning) return { config, login: undefined };
  // Not a new folder where a disk is not mounted.
  await openStorage({ ...config, isNew: false });
  const release = await lockFolder(config.storageDir, 0);
  try {
    const accounts = await Accounts.open(config.configDir);
    const login = await makeAdmin(accounts, process.env['SENTRYBUS_ADMIN_PASSWORD']);
    const monitors = await Monitors.open(config.configDir, { detectors, mediaDir: config.mediaDir });
    if (created) await makeDemo(monitors);
    return { config, login };
  } finally {
    release();
  }
}

function whereThingsAre(
  { file, storageDir, port, tls }: Config,
  login: { username: string; password: string } | undefined,
): string {
  const scheme = tls.mode === 'off' ? 'http' : 'https';
  return `Sentrybus runs, and starts with the machine.
${login ? `\n  Log in as ${login.username} with the password ${login.password}\n` : ''}
pages          ${scheme}://127.0.0.1:${port}
configuration  ${file}
recordings     ${join(storageDir, 'recordings')}
unit           ${unitFile}
log            journalctl -u ${serviceName} -f    (of one monitor: journalctl MONITOR=door)
read its configuration again: systemctl reload ${serviceName}
`;
}
