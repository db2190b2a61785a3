import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { projectFolder } from '../base/project-folder.ts';
import { runCommand, ServiceError } from '../base/system-commands.ts';
import { detectors } from '../detectors/host/detector-list.ts';
import { giveFiles } from '../startup/file-owner.ts';
import { lockFolder } from '../startup/folder-lock.ts';
import { GitBranch } from './git-branch.ts';
import { giveToService } from './installed-unit.ts';
import { placeOf, stateDir, unitFile } from './service-unit.ts';
import { serviceTrial, terminalTrial } from './trial.ts';
import { update } from './update.ts';

const usage = `usage: npm run update -- [--yes] [--config FILE]

Shows what the newest version changes, and after a yes: makes a backup, installs it, and starts it. If it does not serve within
a minute, everything is as it was. A recorder that runs in a terminal has to be stopped before.`;

const trialMs = 60_000;

/**
 * Updates the clone, and the service if it runs from there.
 *
 * @param args the command line after the program's name.
 * @returns the exit code: 0 if it is at the newest version, or nothing was wanted; 1 otherwise.
 */
export async function runUpdate(args: readonly string[]): Promise<number> {
  try {
    const { yes, config: given } = read(args);
    const service = existsSync(unitFile) ? placeOf(await readFile(unitFile, 'utf8')) : undefined;
    const isService =
      service?.project === projectFolder && (given === undefined || given === service.configFile);
    if (isService && service.isTieBreaker) {
      // Without it, the service was installed with a folder of its own.
      const config = service.workingDir === stateDir ? '' : ` --config ${service.configFile}`;
      throw new ServiceError(
        `A tie-breaker has nothing that needs a backup: \`git pull\`, then \`sudo npm run service -- install --tie-breaker${config}\``,
      );
    }
    if (isService && process.getuid?.() !== 0)
      throw new ServiceError('Only root may update the service: sudo npm run update');
    const configFile = isService ? service.configFile : (given ?? join(projectFolder, defaultConfigFile));
    const workingDir = isService ? service.workingDir : process.cwd();
    // Its relative paths begin there.
    process.chdir(workingDir);
    const { config } = await loadConfig(configFile, { create: false, detectors });
    if (!isService) await requireStopped(config);
    // Everybody may read what is installed: the service's user is another one.
    process.umask(0o022);
    // What was begun is finished, or undone.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
    // Also where the terminal is not there any more.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    const isUpdated = await update({
      project: projectFolder,
      configFile,
      workingDir,
      backups: isService ? join(stateDir, 'backups') : join(dirname(config.configDir), 'backups'),
      run: runCommand,
      trial: isService
        ? serviceTrial(runCommand)
        : terminalTrial({ project: projectFolder, configFile, workingDir }),
      trialMs,
      confirm: (changes) => confirm(changes, yes),
      report: (text) => void process.stdout.write(`${text}\n`),
      async handOver() {
        if (!isService) return;
        await giveToService(runCommand, [config.configDir, config.storageDir]);
        await giveToOwner(projectFolder);
      },
    });
    return isUpdated ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}

/** @throws {ServiceError} while a recorder runs that this program cannot start again. */
async function requireStopped({ storageDir }: Config): Promise<void> {
  try {
    const release = await lockFolder(storageDir, 0);
    release();
  } catch (cause) {
    throw new ServiceError(
      `${(cause as Error).message}: stop it before the update, which tries the new version`,
      { cause },
    );
  }
}

/** What root has written in a clone of somebody else belongs to them. */
async function giveToOwner(project: string): Promise<void> {
  const { uid, gid } = await stat(project);
  if (uid === 0) return;
  const entries = await new GitBranch(runCommand, project).entries();
  const present = entries.filter((entry) => existsSync(entry));
  await giveFiles(runCommand, `${uid}:${gid}`, present);
}

function read(args: readonly string[]): { yes: boolean; config: string | undefined } {
  try {
    const options = { yes: { type: 'boolean' }, config: { type: 'string' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return {
      yes: values.yes ?? false,
      config: values.config === undefined ? undefined : resolve(values.config),
    };
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

async function confirm(changes: readonly string[], yes: boolean): Promise<boolean> {
  process.stdout.write(`The newest version:\n\n${changes.join('\n')}\n\n`);
  if (yes) return true;
  if (!process.stdin.isTTY) {
    process.stdout.write('To update: npm run update -- --yes\n');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and the end of the input are a no.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const answer = await Promise.race([terminal.question('Make a backup and update now? [y/N] '), closed]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
