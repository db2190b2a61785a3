import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitBranch, type NewVersion } from './git-branch.ts';
import { KeptModules } from './kept-modules.ts';
import { type RunCommand, ServiceError } from './system-commands.ts';
import type { RecorderTrial } from './trial.ts';

export interface UpdateOptions {
  /** The clone. */
  readonly project: string;
  readonly configFile: string;
  /** Where the recorder runs: relative paths of its configuration begin there. */
  readonly workingDir: string;
  /** Where backups of updates are kept. */
  readonly backups: string;
  readonly run: RunCommand;
  readonly trial: RecorderTrial;
  /** Milliseconds in which a recorder must serve. */
  readonly trialMs: number;
  /** Shows what would change. @returns whether to go on. */
  confirm(changes: readonly string[]): Promise<boolean>;
  report(text: string): void;
  /** Gives files that were written by this user to those who had them. */
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
  const modules = new KeptModules(project);
  if (await attempt(() => goForward(options, branch, found, modules))) {
    await modules.forget();
    report(`Updated to ${found.to.slice(0, 10)}; it serves. The backup of before: ${backup}`);
    return true;
  }
  report(
    `${found.to.slice(0, 10)} cannot be installed, or does not serve within ${trialMs / 1000} s: going back`,
  );
  await trial.stop();
  await branch.goTo(found.from);
  await modules.putBack();
  await setup(options, 'install');
  if (!(await serves(options))) {
    await trial.stop();
    report('The version of before does not serve with files of the new one: putting the backup in place');
    const isRestored = await setup(options, 'restore', backup, '--replace', '--config', options.configFile);
    if (!isRestored || !(await serves(options))) {
      throw new ServiceError(`The recorder does not serve: see its log. The backup of before: ${backup}`);
    }
  }
  report(`Back at ${found.from.slice(0, 10)}, which serves`);
  return false;
}

async function goForward(
  options: UpdateOptions,
  branch: GitBranch,
  { to, hasNewPackages }: NewVersion,
  modules: KeptModules,
): Promise<boolean> {
  await options.trial.stop();
  await branch.goTo(to);
  if (hasNewPackages) await modules.keep();
  return (await setup(options, 'install')) && (await serves(options));
}

/** Whatever goes wrong, there is a way back. */
async function attempt(step: () => Promise<boolean>): Promise<boolean> {
  try {
    return await step();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return false;
  }
}

async function serves({ handOver, trial, trialMs }: UpdateOptions): Promise<boolean> {
  await handOver();
  return trial.serves(trialMs);
}

/** @returns its folder. Older ones of updates are deleted, except the last few. */
async function makeBackup(options: UpdateOptions, { from }: NewVersion): Promise<string> {
  const { backups, configFile } = options;
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const backup = join(backups, `update-${time}-${from.slice(0, 10)}`);
  await mkdir(backups, { recursive: true, mode: 0o700 });
  const isMade = await setup(options, 'backup', backup, '--config', configFile);
  // A recorder that does not run was started a little for it.
  await options.handOver();
  if (!isMade) throw new ServiceError('Nothing was changed, because there is no backup');
  const earlier = (await readdir(backups)).filter((name) => name.startsWith('update-')).sort();
  for (const name of earlier.slice(0, -keptBackups)) await rm(join(backups, name), { recursive: true });
  return backup;
}

/** Runs a command of the version that is there now. @returns whether it succeeded. */
async function setup({ project, workingDir }: UpdateOptions, ...args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [join(project, 'setup.mjs'), ...args], {
    cwd: workingDir,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}
