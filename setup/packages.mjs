import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { SetupError, StepError, step } from './step.mjs';

/** What the recorder itself needs, and what its native addon is compiled with. */
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

/** What the tests need beside it: a broker, a camera, pictures, a browser. */
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

const retryPause = 3000;
const longestWait = 10 * 60_000;

/**
 * Installs the packages that are missing, where that is allowed.
 *
 * @param {readonly string[]} packages
 * @throws {SetupError} naming them, and the command that installs them, where it is not.
 */
export async function ensurePackages(packages) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const install = ['install', '--no-install-recommends', ...missing];
  const prefix = rootPrefix();
  if (!prefix) {
    throw new SetupError(
      'Sentrybus needs Debian packages that it may not install itself: run, as root, ' +
        `\`apt-get update && apt-get ${install.join(' ')}\`, and then this again.`,
    );
  }

  process.stdout.write(`Installing Debian packages: ${missing.join(' ')}\n`);
  // Fresh lists cost time and network, so only where the ones at hand do not know the packages.
  const known = spawnSync('apt-get', ['--simulate', ...install]).status === 0;
  if (known) {
    try {
      return void (await aptGet(prefix, 'Debian packages', install));
    } catch (error) {
      // Old lists name versions that the mirror no longer has.
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
    process.stderr.write(`This is not Debian: the equivalents of ${packages.join(', ')} have to be there.\n`);
    return [];
  }
  const lines = new Set(String(query.stdout).split('\n'));
  return packages.filter((name) => !lines.has(`${name} installed`));
}

/** What to write before a command that needs root; undefined when we cannot become root. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  // Without a terminal, as apt-get will be: sudo may remember a password for this terminal alone.
  const sudo = spawnSync('setsid', ['--wait', 'sudo', '-n', 'true'], { stdio: 'ignore' });
  return sudo.status === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * Runs apt-get, waiting for its turn while another program installs: it waits for dpkg's lock by itself, and
 * gives up at once on that of the package lists.
 *
 * @param {readonly string[]} prefix @param {string} title @param {readonly string[]} args
 */
async function aptGet(prefix, title, args) {
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'];
  const command = ['apt-get', '--yes', '--option', `DPkg::Lock::Timeout=${longestWait / 1000}`, ...args];
  const deadline = Date.now() + longestWait;
  for (;;) {
    try {
      return await step(title, [...prefix, ...environment, ...command]);
    } catch (error) {
      const locked =
        error instanceof StepError && error.output.some((line) => /could not get lock/i.test(line));
      if (!locked || Date.now() > deadline) throw error;
      process.stdout.write('Another program is installing packages; waiting for it …\n');
      await new Promise((resolve) => setTimeout(resolve, retryPause));
    }
  }
}
