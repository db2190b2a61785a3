import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { project } from '../support/project.ts';

let clone: string;
const inClone = (name: string) => readFile(join(clone, name), 'utf8');

/** Another clone, without sources and Node packages. */
beforeEach(async () => {
  clone = await temporaryFolder();
  for (const name of ['setup', 'setup.mjs', 'package.json', 'package-lock.json']) {
    await cp(join(project, name), join(clone, name), { recursive: true });
  }
});

/** Runs code that imports from the clone's `setup/`. @param programs a folder of some that come before all others. */
function run(code: string, programs = clone) {
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH']}` };
  const args = ['--input-type=module', '--eval', code];
  return spawnSync(process.execPath, args, { cwd: clone, env, encoding: 'utf8', timeout: 30_000 });
}

describe('a version of Node.js', () => {
  const stampFile = 'node_modules/.sentrybus-stamp';

  /** Runs `npm run postinstall` as another Node.js would. @param modules of its binary interface. */
  function stampAs(node: string, modules = process.versions.modules) {
    const other = `Object.defineProperty(process, 'version', { value: 'v${node}' });
const versions = { ...process.versions, node: '${node}', modules: '${modules}' };
Object.defineProperty(process, 'versions', { value: versions });`;
    const preload = `data:text/javascript,${encodeURIComponent(other)}`;
    const args = ['--import', preload, 'setup.mjs', 'stamp'];
    return spawnSync(process.execPath, args, { cwd: clone, encoding: 'utf8', timeout: 30_000 });
  }

  beforeEach(async () => void (await mkdir(join(clone, 'node_modules'))));

  test.each(['20.19.0', '20.99.1', '22.12.0', '22.99.1'])('%s is taken', (node) => {
    expect(stampAs(node)).toMatchObject({ status: 0, stderr: '' });
  });

  test.each(['18.20.8', '20.18.3', '21.7.3', '22.0.0', '22.11.0', '23.0.0'])(
    '%s, for which there are no packages, is refused in one line',
    (node) => {
      expect(stampAs(node)).toMatchObject({
        status: 1,
        stderr: `Sentrybus needs Node.js ^20.19.0 || >=22.12.0 <23 and this is v${node}: install Node.js 20 and start again.\n`,
      });
    },
  );

  test('is named in package-lock.json as in package.json', async () => {
    const { engines } = JSON.parse(await inClone('package.json'));
    expect(JSON.parse(await inClone('package-lock.json')).packages[''].engines).toEqual(engines);
  });

  test('keeps the packages if its binary interface is the same', async () => {
    const stamps: string[] = [];
    for (const [node = '', modules] of [['20.19.0'], ['20.19.1'], ['22.12.0', 'other']]) {
      expect(stampAs(node, modules).status).toBe(0);
      stamps.push(await inClone(stampFile));
    }
    const [stamp] = stamps;
    expect(stamps).toEqual([stamp, stamp, expect.not.stringContaining(stamp ?? '')]);
  });
});

test('packages that an update has put aside come back if it was killed before it had others', async () => {
  const put = async (name: string, file: string) => {
    await mkdir(join(clone, name), { recursive: true });
    await writeFile(join(clone, name, file), '');
  };
  const modules = () => readdir(join(clone, 'node_modules'));
  const putBack = `import { putBackModules } from './setup/modules.mjs'; putBackModules();`;
  await put('.cache/node_modules.before', 'old');
  await put('node_modules', 'new');
  expect(run(putBack).status).toBe(0);
  expect(await modules()).toEqual(['old']);

  await put('.cache/node_modules.before', 'older');
  await put('node_modules', '.sentrybus-stamp');
  expect(run(putBack).status).toBe(0);
  expect((await modules()).sort()).toEqual(['.sentrybus-stamp', 'old']);
});

test('where flock fails, a setup goes on without a lock', async () => {
  const programs = join(clone, 'programs');
  await mkdir(programs);
  await symlink('/bin/false', join(programs, 'flock'));
  const code = `import { exclusively } from './setup/lock.mjs';
await exclusively(async () => console.log('done'));`;
  expect(run(code, programs)).toMatchObject({ status: 0, stdout: 'done\n' });
});

test('a step whose log cannot be written does its work all the same', async () => {
  await mkdir(join(clone, '.cache', 'setup.log'), { recursive: true });
  const code = `import { step } from './setup/step.mjs';
console.log(JSON.stringify(await step('Work', ['echo', 'done'])));`;
  const { status, stdout, stderr } = run(code);
  expect([status, stdout]).toEqual([0, '["done"]\n']);
  expect(stderr).toMatch(/^Nothing is appended to the log: EISDIR/m);
});

test('a link among the sources that leads nowhere, as editors lock files, keeps nothing from being built', async () => {
  for (const folder of ['actors', 'bus', 'http', 'pipelines', 'store']) await mkdir(join(clone, folder));
  await writeFile(join(clone, 'bus', 'subjects.ts'), '');
  await symlink('ada@desk.4711', join(clone, 'bus', '.#subjects.ts'));
  await writeFile(join(clone, 'tsconfig.json'), '{}');
  const compiler = join(clone, 'node_modules', 'typescript', 'bin');
  await mkdir(compiler, { recursive: true });
  const compile = `import('node:fs').then(({ mkdirSync }) => mkdirSync(process.argv.at(-1) + '/http/pages', { recursive: true }));`;
  await writeFile(join(compiler, 'tsc'), compile);
  for (const script of ['bundle.mjs', 'build-pages.mjs']) await writeFile(join(clone, 'setup', script), '');
  const { status } = run(`import { build } from './setup/build.mjs'; await build();`);
  expect(status).toBe(0);
  expect(await inClone('dist/.stamp')).toMatch(/^[0-9a-f]{64}$/);
});
