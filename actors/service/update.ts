import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GitBranch, type NewVersion } from './git-branch.ts';
import { type RunCommand, ServiceError } from './system-commands.ts';
import type { RecorderTrial } from './trial.ts';

export interface UpdateOptions {
  /** The clone. */
  readonly project: string;
  readonly configFile: string;
  readonly run: RunCommand;
  readonly trial: RecorderTrial;
  /** Milliseconds in which a recorder must serve. */
  readonly trialMs: number;
  /** Shows what would change. @returns whether to go on. */
  confirm(changes: readonly string[]): Promise<boolean>;
  report(text: string): void;
  /** Gives files that were written by this user to the recorder's. */
  handOver(): Promise<void>;
}

const keptBackups = 3;

/**
 * Brings the clone to the newest version of its branch: backup, stop, install, trial. If the new version cannot be installed
 * or does not serve, the old one is put back; the backup only if that does not serve either, because the new version changed
 * its files.
 *
 * @returns whether the clone is at the newest version, or nobody wanted that.
 * @throws {ServiceError} if nothing was begun.
 */
export async function update(options: UpdateOptions): Promise<boolean> {
  const { project, run, confirm, report, trial, trialMs } = options;
  const branch = new GitBranch(run, project);
  const found = await branch.findNew();
  if (!found) {
    report('Sentrybus is up to date');
    return true;
  }
  if (!(await confirm(found.changes))) return true;
  const backup = await makeBackup(options, found);
  await trial.stop();
  await branch.goTo(found.to);
  if ((await setup(project, 'install')) && (await trial.serves(trialMs))) {
    report(`Updated to ${found.to.slice(0, 10)}; it serves. The backup of before: ${backup}`);
    return true;
  }
  report(`${found.to.slice(0, 10)} does not serve within ${trialMs / 1000} s: going back`);
  await trial.stop();
  await branch.goTo(found.from);
  await setup(project, 'install');
  if (!(await trial.serves(trialMs))) {
    await trial.stop();
    report('The version of before does not serve with files of the new one: putting the backup in place');
    await setup(project, 'restore', backup, '--config', options.configFile);
    await options.handOver();
    if (!(await trial.serves(trialMs)))
      throw new ServiceError(`The recorder does not serve: see its log. The backup of before: ${backup}`);
  }
  report(`Back at ${found.from.slice(0, 10)}, which serves`);
  return false;
}

/** @returns its folder. Older ones of updates are deleted, except the last few. */
async function makeBackup({ project, configFile }: UpdateOptions, { from }: NewVersion): Promise<string> {
  const folder = join(dirname(dirname(configFile)), 'backups');
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const backup = join(folder, `update-${time}-${from.slice(0, 10)}`);
  if (!(await setup(project, 'backup', backup, '--config', configFile))) {
    throw new ServiceError('Nothing was changed, because there is no backup');
  }
  const earlier = (await readdir(folder)).filter((name) => name.startsWith('update-')).sort();
  for (const name of earlier.slice(0, -keptBackups)) await rm(join(folder, name), { recursive: true });
  return backup;
}

/** Runs a command of the version that is there now. @returns whether it succeeded. */
async function setup(project: string, ...args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [join(project, 'setup.mjs'), ...args], {
    cwd: project,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}
