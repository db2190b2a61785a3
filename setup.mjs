import process from 'node:process';
import { build } from './setup/build.mjs';
import { develop } from './setup/develop.mjs';
import { ensureModules, putBackModules, stampModules } from './setup/modules.mjs';
import { benchPackages, ensurePackages, runtimePackages, testPackages } from './setup/packages.mjs';
import { readProjectFile } from './setup/project.mjs';
import { runInTerminal, SetupError } from './setup/step.mjs';

/**
 * Everything that `npm start`, `npm test` and the other scripts of package.json do, installation included.
 * It runs before the Node packages exist, hence plain JavaScript without dependencies.
 */

/** @type {Record<string, (args: string[]) => Promise<number | void>>} exit codes; a recorder sets its own */
const commands = {
  async start(args) {
    await install(runtimePackages);
    await build();
    // In this very process: signals and the exit code are the recorder's own from here on.
    const { runRecorder } = await load('actors/main.js');
    await runRecorder(args);
  },

  /** Runs what is installed and built, and changes nothing in this folder: for the service, which may not. */
  async serve(args) {
    if (!isBuilt()) throw new SetupError('The recorder is not built: run `npm run build` here.');
    const { runRecorder } = await load('actors/main.js');
    await runRecorder(args);
  },

  /** Runs the modules of the build as they are, for developers. */
  async 'start:modules'(args) {
    const { runRecorder } = await load('modules/actors/main.js');
    await runRecorder(args);
  },

  /** Everything that a start needs. */
  async install() {
    await install(runtimePackages);
    await build();
  },

  /** The newest version, with a backup and a way back. */
  async update(args) {
    putBackModules();
    if (!isBuilt()) await build();
    const { runUpdate } = await load('modules/actors/service/update-command.js');
    return runUpdate(args);
  },

  /** The recorder as a service of systemd. */
  async service(args) {
    const isNew = args[0] === 'install';
    if (isNew) await install(runtimePackages);
    if (isNew || !isBuilt()) await build();
    const { runService } = await load('modules/actors/service/service-command.js');
    return runService(args);
  },

  /** Runs the recorder, and starts it again with each change of its sources. */
  async dev(args) {
    await install(runtimePackages);
    return develop(args);
  },

  /** Shows what travels on the bus of the recorder that runs. */
  async tap(args) {
    await ensureModules();
    await build();
    const { tapBus } = await load('modules/actors/startup/tap-bus.js');
    return tapBus(args);
  },

  /** Writes entries of a log that no recorder has open. */
  async export(args) {
    await ensureModules();
    await build();
    const { exportLog } = await load('modules/actors/startup/export-log.js');
    return exportLog(args);
  },

  /** Reads every recording, and compares the folder with the catalogue. */
  async verify(args) {
    await ensureModules();
    await build();
    const { verifyArchive } = await load('modules/actors/startup/verify-archive.js');
    return verifyArchive(args);
  },

  /** Copies configuration, accounts and database to a folder, while a recorder runs or not. */
  async backup(args) {
    await ensureModules();
    await build();
    const { backUp } = await load('modules/actors/startup/backup.js');
    return backUp(args);
  },

  /** Puts such a copy in place. */
  async restore(args) {
    await ensureModules();
    await build();
    const { restore } = await load('modules/actors/startup/restore.js');
    return restore(args);
  },

  async test(args) {
    await install([...runtimePackages, ...testPackages]);
    const failed = await check();
    if (failed !== 0) return failed;
    return vitest('run', 'test/vitest.config.ts', [
      '--reporter=default',
      '--reporter=json',
      '--reporter=./test/support/retry-reporter.ts',
      '--outputFile.json=test/.cache/report.json',
      ...args,
    ]);
  },

  /** The tests of these files, at once: nothing is checked. */
  async 'test:only'(args) {
    await install([...runtimePackages, ...testPackages]);
    return vitest('run', 'test/vitest.config.ts', args);
  },

  /** The same again after each change. */
  async 'test:watch'(args) {
    await install([...runtimePackages, ...testPackages]);
    return vitest('watch', 'test/vitest.config.ts', args);
  },

  /** Several recorders as one system, with a newer nats-server than Debian 12's. */
  async 'test:cluster'(args) {
    await install([...runtimePackages, ...testPackages]);
    return vitest('run', 'test/cluster/vitest.config.ts', args);
  },

  async bench(args) {
    await install([...runtimePackages, ...testPackages, ...benchPackages]);
    return vitest('run', 'test/bench/vitest.config.ts', args);
  },

  async check() {
    await ensureModules();
    return check();
  },

  async build() {
    await ensureModules();
    await build();
  },

  /** Called by npm after each installation of the Node packages, whoever asked for it. */
  async stamp() {
    stampModules();
  },
};

/** @param {string} path below the build */
const load = (path) => import(new URL(`dist/${path}`, import.meta.url).href);

/** Whether there is a build, perhaps of older sources. */
const isBuilt = () => readProjectFile('dist/actors/main.js') !== undefined;

/** @param {readonly string[]} packages of Debian */
async function install(packages) {
  await ensurePackages(packages);
  await ensureModules();
}

/** Formatting, lint, types, and exports that nothing imports. */
async function check() {
  return (
    (await runInTerminal('node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings'])) ||
    (await runInTerminal('node_modules/typescript/bin/tsc', ['-p', '.', '--noEmit'])) ||
    (await runInTerminal('node_modules/typescript/bin/tsc', ['-p', 'test'])) ||
    (await runInTerminal('node_modules/typescript/bin/tsc', ['-p', 'http/pages/app'])) ||
    (await runInTerminal('node_modules/knip/bin/knip.js', ['--no-progress', '--no-config-hints']))
  );
}

/** @param {'run' | 'watch'} mode @param {string} config @param {string[]} args */
function vitest(mode, config, args) {
  return runInTerminal('node_modules/vitest/vitest.mjs', [mode, '--config', config, ...args]);
}

/** @throws {SetupError} when package.json does not allow this version of Node.js. */
function checkNode() {
  const { engines } = JSON.parse(readProjectFile('package.json') ?? '{}');
  if (allowsNode(engines.node)) return;
  throw new SetupError(
    `Sentrybus needs Node.js ${engines.node} and this is ${process.version}: install Node.js 20 and start again.`,
  );
}

/** @param {string} ranges `^20.19.0` or `>=22.12.0 <23`, several of them with `||` between them */
function allowsNode(ranges) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return ranges.split(' || ').some((range) => {
    const bounds = /^(?:\^|>=)(\d+)\.(\d+)\.0(?: <(\d+))?$/.exec(range) ?? [];
    const [oldest = 0, oldestMinor = 0, tooNew = oldest + 1] = bounds.slice(1).filter(Boolean).map(Number);
    const isNewEnough = major > oldest || (major === oldest && minor >= oldestMinor);
    return isNewEnough && major < tooNew;
  });
}

const [name = '', ...args] = process.argv.slice(2);
try {
  const command = commands[name];
  if (!command) throw new SetupError(`Usage: node setup.mjs ${Object.keys(commands).join('|')}`);
  checkNode();
  const exitCode = await command(args);
  if (exitCode !== undefined) process.exitCode = exitCode;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error.exitCode);
}
