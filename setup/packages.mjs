import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { SetupError, StepError, step } from './step.mjs';

/** Needed by the recorder itself and to compile its native addon. */
export const runtimePackages = [
  'nats-server',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-libav',
  'util-linux',
  'libgstreamer1.0-dev',
  'libgstreamer-plugins-base1.0-dev',
  'pkg-config',
  'python3',
  'make',
  'g++',
];

/** Needed in addition by the tests: a broker, a camera, video, a browser. */
export const testPackages = [
  'mosquitto',
  'mosquitto-clients',
  'ffmpeg',
  'gir1.2-gst-rtsp-server-1.0',
  'gir1.2-gst-plugins-base-1.0',
  'python3-gi',
  'gstreamer1.0-plugins-ugly',
  'gstreamer1.0-tools',
  'chromium',
];

/** Needed in addition by the benchmarks: the program that they compare with. */
export const benchPackages = ['motion'];

const retryPauseMs = 3000;
const maxWaitMs = 10 * 60_000;

/**
 * Installs the missing packages.
 *
 * @param {readonly string[]} packages
 * @throws {SetupError} with the command to run as root, if this user may not install packages.
 */
export async function ensurePackages(packages) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const install = ['install', '--no-install-recommends', ...missing];
  const prefix = rootPrefix();
  if (!prefix) {
    throw new SetupError(
      'Debian packages are missing, and this user may not install them. Run as root: ' +
        `\`apt-get update && apt-get ${install.join(' ')}\`, then start again.`,
    );
  }

  process.stdout.write(`Installing Debian packages: ${missing.join(' ')}\n`);
  // Updating the package lists takes time and network, so it is done only if the present ones lack a package.
  const known = spawnSync('apt-get', ['--simulate', ...install]).status === 0;
  if (known) {
    try {
      return void (await aptGet(prefix, 'Debian packages', install));
    } catch (error) {
      // Outdated lists may name versions that the mirror no longer has.
      if (!(error instanceof StepError)) throw error;
    }
  }
  await aptGet(prefix, 'Debian package lists', ['update']);
  await aptGet(prefix, 'Debian packages', install);
}

/** @param {readonly string[]} packages */
function missingPackages(packages) {
  const query = spawnSync('dpkg-query', [
    '--show',
    `--showformat=\${Package} \${db:Status-Status}\n`,
    ...packages,
  ]);
  if (query.error) {
    process.stderr.write(`This is not Debian: install the equivalents of ${packages.join(', ')} yourself.\n`);
    return [];
  }
  const lines = new Set(String(query.stdout).split('\n'));
  return packages.filter((name) => !lines.has(`${name} installed`));
}

/** The prefix of a command that needs root; undefined if we cannot become root. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  // Tried without a terminal, as apt-get runs: sudo may remember a password for one terminal only.
  const sudo = spawnSync('setsid', ['--wait', 'sudo', '-n', 'true'], { stdio: 'ignore' });
  return sudo.status === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * Runs apt-get, and retries while another program is installing. apt-get itself waits for the lock of dpkg but fails at
 * once if the package lists are locked.
 *
 * @param {readonly string[]} prefix @param {string} title @param {readonly string[]} args
 */
async function aptGet(prefix, title, args) {
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'];
  const command = ['apt-get', '--yes', '--option', `DPkg::Lock::Timeout=${maxWaitMs / 1000}`, ...args];
  const deadline = Date.now() + maxWaitMs;
  for (;;) {
    try {
      return await step(title, [...prefix, ...environment, ...command]);
    } catch (error) {
      const locked =
        error instanceof StepError && error.output.some((line) => /could not get lock/i.test(line));
      if (!locked || Date.now() > deadline) throw error;
      process.stdout.write('Another program is installing packages; waiting for it …\n');
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    }
  }
}
