import { createHash } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { exclusively } from './lock.mjs';
import { project, readProjectFile } from './project.mjs';
import { StepError, step } from './step.mjs';

export const sourceFolders = ['actors', 'bus', 'http', 'pipelines', 'store'];
/** What browsers get, below dist/ and beside the module that serves it. */
const pages = 'http/pages/web';
const stampFile = 'dist/.stamp';

/**
 * Compiles the sources to dist/modules/, bundles them to dist/ and builds the pages, unless nothing has changed.
 *
 * The result is built in a new folder that then replaces the old one, so that a recorder that starts meanwhile never
 * finds a partial build.
 *
 * @param {{tolerant?: boolean}} [options] `tolerant`: type errors are reported but do not fail the build, so that one
 * unfinished file does not keep all other tests from running
 */
export async function build({ tolerant = false } = {}) {
  if (built()) return;
  await exclusively(async () => {
    if (built()) return;
    const stamp = sourceStamp();
    const fresh = join(project, '.cache', 'dist');
    rmSync(fresh, { recursive: true, force: true });
    const sound = await compile(join(fresh, 'modules'), tolerant);
    await run('Bundle', 'bundle.mjs', fresh);
    await run('Pages', 'build-pages.mjs', join(fresh, pages));
    symlinkSync(join('../../..', pages), join(fresh, 'modules', pages));
    // The stamp was taken before compiling: sources that changed since then are built again next time.
    if (sound) writeFileSync(join(fresh, '.stamp'), stamp);
    const dist = join(project, 'dist');
    const old = join(project, '.cache', 'dist.old');
    rmSync(old, { recursive: true, force: true });
    try {
      renameSync(dist, old);
    } catch {
      // The first build.
    }
    renameSync(fresh, dist);
    rmSync(old, { recursive: true, force: true });
  });
}

/** @param {string} folder @param {boolean} tolerant @returns {Promise<boolean>} whether there was no error */
async function compile(folder, tolerant) {
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  try {
    const command = [process.execPath, compiler, '-p', '.', '--outDir', folder];
    await step('Build', command, { disposable: true });
    return true;
  } catch (error) {
    if (!tolerant || !(error instanceof StepError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return false;
  }
}

/**
 * In a process of its own: this one may become the recorder, and the bundlers are large.
 *
 * @param {string} title @param {string} script of this folder @param {string} folder of its result
 */
function run(title, script, folder) {
  return step(title, [process.execPath, join(project, 'setup', script), folder], { disposable: true });
}

function built() {
  return readProjectFile(stampFile) === sourceStamp();
}

/** A hash over the name, size and modification time of every source file. */
function sourceStamp() {
  const hash = createHash('sha256');
  const own = ['setup/bundle.mjs', 'setup/build-pages.mjs', 'tsconfig.json', 'package-lock.json'];
  for (const file of [...sourceFiles(), ...own]) {
    const found = statSync(join(project, file), { throwIfNoEntry: false });
    // It may have been deleted meanwhile.
    if (found) hash.update(`${file} ${found.size} ${found.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Paths below the project. A link that leads nowhere is no file: editors lock files with such. */
function sourceFiles() {
  return sourceFolders.flatMap((folder) =>
    readdirSync(join(project, folder), { encoding: 'utf8', recursive: true })
      .map((name) => join(folder, name))
      .filter((file) => statSync(join(project, file), { throwIfNoEntry: false })?.isFile())
      .sort(),
  );
}
