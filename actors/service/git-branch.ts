import { join } from 'node:path';
import { mustRun, type RunCommand, ServiceError } from '../base/system-commands.ts';

/** What an update would bring. */
export interface NewVersion {
  /** Commits. */
  readonly from: string;
  readonly to: string;
  /** Whether it needs other Node packages. */
  readonly hasNewPackages: boolean;
  /** In the words of the changelog, or else of the commits; at most 60 lines. */
  readonly changes: readonly string[];
}

const maxLines = 60;

/** The clone's branch, and the one of the remote that it follows. */
export class GitBranch {
  readonly #run: RunCommand;
  readonly #project: string;

  constructor(run: RunCommand, project: string) {
    this.#run = run;
    this.#project = project;
  }

  /**
   * Asks the remote.
   *
   * @returns undefined if there is nothing newer.
   * @throws {ServiceError} if the clone follows no branch, was changed, or has commits of its own.
   */
  async findNew(): Promise<NewVersion | undefined> {
    const { code } = await this.#try('rev-parse', '--verify', '--quiet', '@{upstream}');
    if (code !== 0)
      throw new ServiceError(
        `${this.#project} follows no branch of a git remote: there is nothing to update from`,
      );
    const changed = await this.#git('status', '--porcelain', '--untracked-files=no');
    if (changed !== '') {
      throw new ServiceError(
        `Files of ${this.#project} were changed, and an update would have to undo that:\n${changed}`,
      );
    }
    await this.#git('fetch', '--quiet');
    const [from, to] = [await this.head(), await this.#git('rev-parse', '@{upstream}')];
    if (from === to) return undefined;
    if ((await this.#try('merge-base', '--is-ancestor', from, to)).code !== 0) {
      throw new ServiceError(`${this.#project} has commits that the remote has not: update it with git`);
    }
    const packages = await this.#try('diff', '--quiet', `${from}..${to}`, '--', 'package-lock.json');
    return { from, to, hasNewPackages: packages.code !== 0, changes: await this.#changes(from, to) };
  }

  /** The commit that is there. */
  head(): Promise<string> {
    return this.#git('rev-parse', 'HEAD');
  }

  /** Goes to another commit, forwards or back. There are no changed files, see {@link findNew}. */
  async goTo(commit: string): Promise<void> {
    await this.#git('reset', '--quiet', '--hard', commit);
  }

  async #changes(from: string, to: string): Promise<readonly string[]> {
    const difference = await this.#git('diff', '--unified=0', `${from}..${to}`, '--', 'CHANGELOG.md');
    const added = difference
      .split('\n')
      .filter((line) => line.startsWith('+') && !line.startsWith('+++'))
      .map((line) => line.slice(1));
    const lines =
      added.length > 0 ? added : (await this.#git('log', '--format=- %s', `${from}..${to}`)).split('\n');
    return lines.length > maxLines
      ? [...lines.slice(0, maxLines), `… and ${lines.length - maxLines} more`]
      : lines;
  }

  #git(...args: readonly string[]): Promise<string> {
    return mustRun(this.#run, 'git', ...this.#options(), ...args);
  }

  #try(...args: readonly string[]) {
    return this.#run('git', ...this.#options(), ...args);
  }

  /** @returns the entries of its top level that belong to git, or are made from them. */
  async entries(): Promise<readonly string[]> {
    const tracked = (await this.#git('ls-tree', '--name-only', 'HEAD')).split('\n');
    return [...tracked, '.git', 'node_modules', 'dist', '.cache'].map((name) => join(this.#project, name));
  }

  /** Root updates a clone of somebody else, too, which git refuses by itself; but runs none of their programs. */
  #options(): readonly string[] {
    const programs = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'];
    return ['-C', this.#project, '-c', `safe.directory=${this.#project}`, ...programs];
  }
}
