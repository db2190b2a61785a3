import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFolder } from '../base/project-folder.ts';
import { mustRun, runCommand, ServiceError } from '../base/system-commands.ts';
import { installService } from './install-service.ts';
import { requireSystemd } from './installed-unit.ts';
import { serviceStatus } from './service-status.ts';
import { serviceName, stateDir, unitFile } from './service-unit.ts';

const usage = `usage: npm run service -- install [--config FILE] [--tie-breaker] | remove | status

install  runs the recorder as a service of systemd, as a user of its own, from this folder; also after it was moved.
         With --tie-breaker a machine that only votes, in the [cluster] of its configuration
remove   ends the service; configuration and recordings stay
status   how it is; exits with 3 if it does not run, as systemctl does`;

const notRunning = 3;

/**
 * Installs, removes or shows the service.
 *
 * @param args the command line after the program's name.
 * @returns the exit code: 0 on success, 3 for a service that does not run, 1 otherwise.
 */
export async function runService(args: readonly string[]): Promise<number> {
  try {
    const { action, ...installation } = read(args);
    if (action === 'install') {
      process.stdout.write(await installService(runCommand, { project: projectFolder, ...installation }));
      return 0;
    }
    return action === 'remove' ? await remove() : await status();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}

function read(args: readonly string[]) {
  try {
    const options = { config: { type: 'string' }, 'tie-breaker': { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [action, ...others] = positionals;
    if (others.length > 0 || (action !== 'install' && action !== 'remove' && action !== 'status')) {
      throw new Error('expected install, remove or status');
    }
    const [given] = Object.keys(values);
    if (given !== undefined && action !== 'install') throw new Error(`--${given} is for install`);
    const configFile = values.config === undefined ? undefined : resolve(values.config);
    return { action, configFile, isTieBreaker: values['tie-breaker'] ?? false };
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

async function remove(): Promise<number> {
  requireSystemd('remove');
  if (!existsSync(unitFile)) throw new ServiceError('The service is not installed');
  await mustRun(runCommand, 'systemctl', 'disable', '--now', serviceName);
  await rm(unitFile);
  await mustRun(runCommand, 'systemctl', 'daemon-reload');
  process.stdout.write(
    `The service is removed. Its files stay (${stateDir}, or where its configuration says), and so does the user ${serviceName}.\n`,
  );
  return 0;
}

async function status(): Promise<number> {
  const found = await serviceStatus(runCommand, serviceName);
  if (!found) {
    process.stdout.write('The service is not installed: npm run service -- install\n');
    return notRunning;
  }
  const { isActive, state, since, report, restarts, memoryBytes } = found;
  const lines = [
    `state     ${state} since ${since}`,
    ...(report ? [`reports   ${report}`] : []),
    ...(memoryBytes === undefined ? [] : [`memory    ${(memoryBytes / 1e6).toFixed(0)} MB`]),
    `restarts  ${restarts} by systemd`,
    `log       journalctl -u ${serviceName}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return isActive ? 0 : notRunning;
}
