import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { writeAtomically } from '../../bus/base/files.ts';
import { mustRun, type RunCommand, ServiceError } from '../base/system-commands.ts';
import { giveFiles } from '../startup/file-owner.ts';
import { serviceName, stateDir, unitFile } from './service-unit.ts';

/** @throws {ServiceError} */
export function requireSystemd(action: string): void {
  if (!existsSync('/run/systemd/system')) {
    throw new ServiceError('This machine does not run systemd: start the recorder with `npm start`');
  }
  if (process.getuid?.() !== 0) {
    throw new ServiceError(`Only root may do this: sudo npm run service -- ${action}`);
  }
}

/** The one that the service runs as. */
export async function ensureUser(run: RunCommand): Promise<void> {
  if ((await run('getent', 'passwd', serviceName)).code === 0) return;
  const options = ['--system', '--user-group', '--home-dir', stateDir, '--shell', '/usr/sbin/nologin'];
  await mustRun(run, 'useradd', ...options, serviceName);
}

/** Gives folders, and what is in them, to the service's user. */
export async function giveToService(run: RunCommand, folders: readonly string[]): Promise<void> {
  await giveFiles(run, `${serviceName}:${serviceName}`, folders);
}

/** Folders of the system: their files are not the recorder's. `/srv/nvr` and `/etc/nvr` may be, `/srv` and `/etc` may not. */
const systemFolders = /^\/[^/]*$|^\/(bin|boot|dev|lib\w*|proc|run|sbin|sys|usr)\/|^\/(var|home)\/[^/]+$/;

/** @throws {ServiceError} if a folder would be given to the service's user that holds other things as well. */
export function requireOwnFolder(key: string, folder: string, project: string): void {
  const holdsProgram = project === folder || project.startsWith(`${folder}/`);
  if (!holdsProgram && !systemFolders.test(folder)) return;
  const what = holdsProgram ? 'contains the program' : 'is a folder of the system';
  throw new ServiceError(`${key} is ${folder}, which ${what}: the service needs a folder of its own there`);
}

/**
 * Puts the unit in place, and waits until what it runs says that it is ready.
 *
 * @throws {ServiceError} with the last lines of its log if it does not.
 */
export async function startUnit(run: RunCommand, unit: string): Promise<void> {
  const isInstalled = existsSync(unitFile);
  await writeAtomically(unitFile, unit);
  await chmod(unitFile, 0o644);
  await mustRun(run, 'systemctl', 'daemon-reload');
  await mustRun(run, 'systemctl', 'enable', serviceName);
  const started = await run('systemctl', 'restart', serviceName);
  if (started.code === 0) return;
  if (!isInstalled) await run('systemctl', 'disable', '--now', serviceName);
  const newest = ['--lines', '10', '--no-pager', '--output', 'cat'];
  const { output } = await run('journalctl', '--unit', serviceName, ...newest);
  throw new ServiceError(`The service does not start. Its last lines:\n  ${output.replaceAll('\n', '\n  ')}`);
}
