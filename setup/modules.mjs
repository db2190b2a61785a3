import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { exclusively } from './lock.mjs';
import { project, readProjectFile } from './project.mjs';
import { step } from './step.mjs';

const stampFile = 'node_modules/.sentrybus-stamp';

/** Installs the Node packages of package-lock.json, unless they are installed. */
export async function ensureModules() {
  if (installed()) return;
  await exclusively(async () => {
    if (installed()) return;
    // `npm ci` ends with package.json's postinstall script, which calls `stampModules`.
    const command = [...npm(), 'ci', '--include=dev'];
    await step('Node packages', command, { env: environment(), disposable: true });
  });
}

/** Records that node_modules matches package-lock.json and this Node.js. */
export function stampModules() {
  writeFileSync(join(project, stampFile), stamp());
}

/**
 * Puts back the packages that an update has put aside (`actors/service/kept-modules.ts`), if it was killed before it had others: without
 * packages there is no way back.
 */
export function putBackModules() {
  const modules = join(project, 'node_modules');
  const kept = join(project, '.cache/node_modules.before');
  if (readProjectFile(stampFile) !== undefined || !existsSync(kept)) return;
  rmSync(modules, { recursive: true, force: true });
  renameSync(kept, modules);
}

function installed() {
  return readProjectFile(stampFile) === stamp();
}

/**
 * Includes the version of Node.js's binary interface, for which the native addon is compiled. With that of Node.js itself, each of its
 * updates would have the packages deleted and installed again, perhaps under a recorder that runs.
 */
function stamp() {
  const lockFile = readProjectFile('package-lock.json') ?? '';
  return createHash('sha256')
    .update(lockFile)
    .update(`${process.versions.modules} ${process.arch}`)
    .digest('hex');
}

/** The npm that started this script, otherwise the one on the path. */
function npm() {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm'];
}

/** Environment of npm with settings that are not in .npmrc because npm would warn about them on every start. */
function environment() {
  // The package contains its library for CPUs; its install script would only download those for graphics cards.
  const environment = { ...process.env, npm_config_onnxruntime_node_install: 'skip' };
  // The native addon is compiled against the headers of this Node.js if installed; otherwise npm downloads them.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include/node/node.h'));
  return headers ? { ...environment, npm_config_nodedir: prefix } : environment;
}
