import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { project } from './project.mjs';

/** An error for the person at the terminal; only its message is printed, without a stack trace. */
export class SetupError extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetupError';
    this.code = 'setup_failed';
    this.exitCode = exitCode;
  }
}

/** A command of the installation failed. */
export class StepError extends SetupError {
  /** @param {string} title @param {number | string} reason @param {readonly string[]} output */
  constructor(title, reason, output) {
    super([`${title}: failed (${reason}). The last lines of ${logFile}:`, ...output.slice(-15)].join('\n  '));
    this.name = 'StepError';
    this.code = 'setup_step_failed';
    this.output = output;
  }
}

const logFile = join(project, '.cache', 'setup.log');
const rememberedLines = 200;

/**
 * Runs one command of the installation. The terminal shows its title, the elapsed time and, while it runs, the last
 * line of its output; the whole output is appended to the log file.
 *
 * Ctrl-C interrupts the command, waits for it and ends the installation; a second Ctrl-C ends it at once. The command
 * has a process group of its own, so that the terminal does not signal its children: an interrupted dpkg leaves
 * packages half installed, whereas apt-get finishes the current one.
 *
 * @param {string} title
 * @param {readonly string[]} command
 * @param {{env?: NodeJS.ProcessEnv, disposable?: boolean}} [options] `disposable`: the next attempt
 * discards a partial result, so the command and its children are killed instead of interrupted
 * @returns {Promise<readonly string[]>} the last lines of its output
 * @throws {StepError} if its exit code is not 0
 */
export async function step(title, [file = '', ...args], { env = process.env, disposable = false } = {}) {
  mkdirSync(join(project, '.cache'), { recursive: true });
  const log = createWriteStream(logFile, { flags: 'a' });
  // The terminal shows what matters: a disk that is full, or a log of another user, must not end the step.
  log.on('error', ({ message }) => process.stderr.write(`Nothing is appended to the log: ${message}\n`));
  log.write(`\n# ${new Date().toISOString()} ${[file, ...args].join(' ')}\n`);
  const progress = showProgress(title);

  const child = spawn(file, args, {
    cwd: project,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {string[]} */
  const output = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      output.push(line);
      if (output.length > rememberedLines) output.shift();
      progress.line(line);
    });
  }

  let interrupted = false;
  const interrupt = () => {
    if (interrupted || child.pid === undefined) process.exit(130);
    interrupted = true;
    try {
      process.kill(disposable ? -child.pid : child.pid, disposable ? 'SIGKILL' : 'SIGINT');
    } catch {
      // Has ended, or runs as root through sudo and cannot be signalled: wait for its end.
    }
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const reason = await new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    progress.end(interrupted ? 'stopped' : reason === 0 ? 'done' : 'failed');
    if (interrupted) throw new SetupError('Stopped. Start again to continue.', 130);
    if (reason !== 0) throw new StepError(title, reason, output);
    return output;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    log.end();
  }
}

/**
 * Runs a program of node_modules in this terminal.
 * @param {string} script @param {readonly string[]} args
 * @returns {Promise<number>} its exit code
 */
export async function runInTerminal(script, args) {
  const child = spawn(process.execPath, [join(project, script), ...args], { cwd: project, stdio: 'inherit' });
  // Ctrl-C reaches the program itself; this process only waits for its exit code.
  const ignore = () => {};
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', ignore).on('SIGTERM', pass);
  try {
    return await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', pass);
  }
}

/** One line per step: rewritten in place on a terminal, two plain lines otherwise. @param {string} title */
function showProgress(title) {
  // Standard output is reserved for the program that runs afterwards, an export for example.
  const { stderr } = process;
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  let last = '';
  /** @param {string} text */
  const rewrite = (text) => stderr.write(`\r\x1b[2K${text.slice(0, (stderr.columns || 80) - 1)}`);
  const draw = () => rewrite(`${title}: ${seconds()}  ${last}`);
  const timer = stderr.isTTY ? setInterval(draw, 250) : undefined;
  if (!stderr.isTTY) stderr.write(`${title} …\n`);
  return {
    /** @param {string} line */
    line(line) {
      last =
        stripVTControlCharacters(line)
          .replace(/\p{Cc}/gu, ' ')
          .trim() || last;
    },
    /** @param {string} result */
    end(result) {
      clearInterval(timer);
      if (stderr.isTTY) stderr.write('\r\x1b[2K');
      stderr.write(`${title}: ${result}, ${seconds()}\n`);
    },
  };
}
