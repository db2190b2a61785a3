import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { exclusively } from './lock.mjs';
import { project, readProjectFile } from './project.mjs';
import { step } from './step.mjs';

const stampFile = 'node_modules/.sentrybus-stamp';

/** Installs the Node packages of package-lock.json unless they are there already. */
export async function ensureModules() {
  if (installed()) return;
  await exclusively(async () => {
    if (installed()) return;
    // `npm ci` ends with package.json's postinstall script, which calls `stampModules`.
    const command = [...npm(), 'ci', '--include=dev'];
    await step('Node packages', command, { env: environment(), disposable: true });
  });
}

/** Notes that node_modules is now what package-lock.json and this Node.js ask for. */
export function stampModules() {
  writeFileSync(join(project, stampFile), stamp());
}

function installed() {
  return readProjectFile(stampFile) === stamp();
}

/** The native addon is compiled for one version of Node.js, so that counts too. */
function stamp() {
  const lockFile = readProjectFile('package-lock.json') ?? '';
  return createHash('sha256').update(lockFile).update(`${process.version} ${process.arch}`).digest('hex');
}

/** The npm that called us, else the one on the path. */
function npm() {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm'];
}

/** Settings that npm would complain about on every start if they stood in .npmrc. */
function environment() {
  // The library for the CPU is part of this package; what its script would download is for graphics cards.
  const environment = { ...process.env, npm_config_onnxruntime_node_install: 'skip' };
  // The addon is compiled against the headers that came with this Node.js, if any; else they are downloaded.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include/node/node.h'));
  return headers ? { ...environment, npm_config_nodedir: prefix } : environment;
}
