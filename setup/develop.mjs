import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { build, sourceFolders } from './build.mjs';
import { project } from './project.mjs';
import { SetupError } from './step.mjs';

/** Milliseconds: an editor, or git, changes several files at once. */
const quietMs = 200;

/**
 * Runs the recorder until Ctrl-C or SIGTERM. After a change of its sources it is built and started again; one that does
 * not compile is reported, and the recorder that runs goes on.
 *
 * @param {readonly string[]} args of the recorder
 * @returns {Promise<number>} the exit code
 */
export async function develop(args) {
  const changes = watchSources();
  let leaving = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      leaving = true;
      changes.close();
    });
  }
  let recorder = (await builds()) ? startRecorder(args) : undefined;
  while (!leaving) {
    await changes.next();
    if (leaving || !(await builds())) continue;
    await recorder?.stop();
    if (!leaving) recorder = startRecorder(args);
  }
  return (await recorder?.stop()) ?? 0;
}

/** @returns {Promise<boolean>} whether there is a new build; otherwise the reason is on the terminal. */
async function builds() {
  try {
    await build();
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return false;
  }
}

/** @param {readonly string[]} args */
function startRecorder(args) {
  // XState and others report misuse under this condition only.
  const flags = ['--conditions=development', 'setup.mjs', 'start:modules', ...args];
  const child = spawn(process.execPath, flags, { cwd: project, stdio: 'inherit' });
  const exited = once(child, 'exit').then(([code]) => Number(code ?? 1));
  void exited.then((code) => {
    if (code !== 0)
      process.stderr.write(`The recorder ended with ${code}. It is started again after a change.\n`);
  });
  // A recorder ends by itself within fifteen seconds of this.
  return {
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Waits for changes of the sources. */
function watchSources() {
  let isChanged = false;
  let wake = () => {};
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const notice = () => {
    isChanged = true;
    wake();
  };
  const watchers = sourceFolders.map((folder) =>
    watch(join(project, folder), { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(notice, quietMs);
    }),
  );
  return {
    /** Resolves after the next change, or at once if there was one since the last call. */
    async next() {
      if (!isChanged) {
        await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
          wake = resolve;
        });
      }
      isChanged = false;
    },
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      notice();
    },
  };
}
