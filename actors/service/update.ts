import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunCommand, ServiceError } from '../base/system-commands.ts';
import { GitBranch, type NewVersion } from './git-branch.ts';
import { KeptModules } from './kept-modules.ts';
import type { RecorderTrial } from './trial.ts';
import { UpdateNote } from './update-note.ts';

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
 * its files. An update that was killed is undone first.
 *
 * @returns whether the clone is at the newest version, or nobody wanted that.
 * @throws {ServiceError} if nothing was begun, or the recorder does not serve.
 */
export async function update(options: UpdateOptions): Promise<boolean> {
  const { project, run, confirm, report, trialMs } = options;
  const branch = new GitBranch(run, project);
  const modules = new KeptModules(project);
  const note = new UpdateNote(project);
  await undoInterrupted(options, branch, modules, note);
  const found = await branch.findNew();
  if (!found) {
    report('Sentrybus is up to date');
    return true;
  }
  if (!(await confirm(found.changes))) return true;
  const { from, to } = found;
  const backup = await makeBackup(options, found);
  // What is aside later is what this update has put there.
  await modules.forget();
  await note.write({ from, to, backup });
  if (await attempt(() => goForward(options, branch, found, modules))) {
    await note.remove();
    await modules.forget();
    report(`Updated to ${short(to)}; it serves. The backup of before: ${backup}`);
    return true;
  }
  report(`${short(to)} cannot be installed, or does not serve within ${trialMs / 1000} s: going back`);
  const isBack = (await goBack(options, branch, from, modules)) || (await servesWithBackup(options, backup));
  await note.remove();
  if (!isBack)
    throw new ServiceError(`The recorder does not serve: see its log. The backup of before: ${backup}`);
  report(`Back at ${short(from)}, which serves`);
  return false;
}

const short = (commit: string) => commit.slice(0, 10);

/**
 * Goes back from an update that was killed, which left the service stopped, and the clone anywhere between two versions.
 *
 * @throws {ServiceError} if the recorder does not serve then. The backup is not put in place: it may be old by now.
 */
async function undoInterrupted(
  options: UpdateOptions,
  branch: GitBranch,
  modules: KeptModules,
  note: UpdateNote,
): Promise<void> {
  const { configFile, report } = options;
  const begun = await note.read();
  if (!begun) return;
  const { from, to, backup } = begun;
  // At any other version, somebody has gone on without this program.
  if (![from, to].includes(await branch.head())) return note.remove();
  report(`The update to ${short(to)} was interrupted: going back to ${short(from)} first`);
  const isBack = await goBack(options, branch, from, modules);
  await note.remove();
  if (!isBack) {
    throw new ServiceError(
      `${short(from)} does not serve: see its log. If ${short(to)} has changed its files, stop it, and \`npm run restore -- ${backup} --replace --config ${configFile}\` puts those of before in place`,
    );
  }
  report(`Back at ${short(from)}, which serves`);
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

/** @returns whether the version of before serves. */
async function goBack(
  options: UpdateOptions,
  branch: GitBranch,
  from: string,
  modules: KeptModules,
): Promise<boolean> {
  await options.trial.stop();
  await branch.goTo(from);
  await modules.putBack();
  await setup(options, 'install');
  return serves(options);
}

/** @returns whether the version of before serves with the files of before. */
async function servesWithBackup(options: UpdateOptions, backup: string): Promise<boolean> {
  const { configFile, report, trial } = options;
  await trial.stop();
  report('The version of before does not serve with files of the new one: putting the backup in place');
  const isRestored = await setup(options, 'restore', backup, '--replace', '--config', configFile);
  return isRestored && serves(options);
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
  const backup = join(backups, `update-${time}-${short(from)}`);
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
