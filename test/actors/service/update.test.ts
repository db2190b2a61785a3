import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../../actors/service/system-commands.ts';
import { terminalTrial } from '../../../actors/service/trial.ts';
import { type UpdateOptions, update } from '../../../actors/service/update.ts';
import { temporaryFolder } from '../../support/folder.ts';

/**
 * A recorder as far as an update sees it: it serves unless its files are of a newer version than its own, makes and restores
 * backups, and notes what it was asked.
 */
const program = (version: number, flaw = '') => `
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const [command, folder, ...options] = process.argv.slice(2);
const data = new URL('../data', import.meta.url);
appendFileSync(new URL('../asked', import.meta.url), \`${version} \${command}\\n\`);
${flaw}
if (command === 'backup') { mkdirSync(folder); cpSync(data, folder + '/data'); }
if (command === 'restore' && !options.includes('--replace')) process.exit(1);
if (command === 'restore') cpSync(folder + '/data', data);
if (command === 'serve') {
  if (Number(readFileSync(data, 'utf8')) > ${version}) process.exit(1);
  writeFileSync(data, '${version}');
  console.log('Serving https://127.0.0.1:2020');
  setInterval(() => {}, 1000);
}`;

let folder: string;
const inFolder = (name: string) => join(folder, name);
const git = (...args: string[]) =>
  execFileSync(
    'git',
    ['-C', inFolder('origin'), '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args],
    {
      stdio: 'pipe',
    },
  );

async function publish(version: number, flaw?: string): Promise<void> {
  await writeFile(inFolder('origin/setup.mjs'), program(version, flaw));
  await writeFile(inFolder('origin/CHANGELOG.md'), `# Changes\n- version ${version}\n`);
  git('add', '.');
  git('commit', '--quiet', '--message', `version ${version}`);
}

const asked = async () => (await readFile(inFolder('asked'), 'utf8')).trim().split('\n');
const version = async () => /version (\d+)/.exec(await readFile(inFolder('clone/CHANGELOG.md'), 'utf8'))?.[1];

let reported: string[];
let shown: readonly string[];
const run = (options: Partial<UpdateOptions> = {}) =>
  update({
    project: inFolder('clone'),
    configFile: inFolder('configs/sentryshot.toml'),
    workingDir: folder,
    backups: inFolder('backups'),
    run: runCommand,
    trial: terminalTrial({
      project: inFolder('clone'),
      configFile: inFolder('configs/sentryshot.toml'),
      workingDir: folder,
    }),
    trialMs: 20_000,
    async confirm(changes) {
      shown = changes;
      return true;
    },
    report: (text) => void reported.push(text),
    async handOver() {},
    ...options,
  });

beforeEach(async () => {
  [folder, reported, shown] = [await temporaryFolder(), [], []];
  await mkdir(inFolder('origin'));
  git('init', '--quiet', '--initial-branch=main');
  await publish(1);
  execFileSync('git', ['clone', '--quiet', inFolder('origin'), inFolder('clone')], { stdio: 'pipe' });
  await writeFile(inFolder('data'), '1');
  await writeFile(inFolder('asked'), '');
});

test('an update says what changes, backs up, installs, and serves', async () => {
  await expect(run()).resolves.toBe(true);
  expect(reported).toEqual(['Sentrybus is up to date']);

  await publish(2);
  await expect(run({ confirm: async () => false })).resolves.toBe(true);
  expect([await version(), await asked()]).toEqual(['1', ['']]);

  await expect(run()).resolves.toBe(true);
  expect(shown).toEqual(['- version 2']);
  expect(await version()).toBe('2');
  expect(await asked()).toEqual(['1 backup', '2 install', '2 serve']);
  const [backup = ''] = await readdir(inFolder('backups'));
  expect(await readFile(join(inFolder('backups'), backup, 'data'), 'utf8')).toBe('1');
});

test.each([
  ['cannot be installed', "if (command === 'install') process.exit(1);", ['2 install']],
  ['ends at its start', "if (command === 'serve') process.exit(1);", ['2 install', '2 serve']],
  [
    'never serves',
    "if (command === 'serve') { setInterval(() => {}, 1000); await new Promise(() => {}); }",
    ['2 install', '2 serve'],
  ],
])('a version that %s is taken back, and nothing is lost', async (_flaw, code, tried) => {
  await publish(2, code);
  await expect(run({ trialMs: 3000 })).resolves.toBe(false);
  expect(await version()).toBe('1');
  expect(await asked()).toEqual(['1 backup', ...tried, '1 install', '1 serve']);
  expect(reported.at(-1)).toMatch(/^Back at [0-9a-f]{10}, which serves$/);
});

test('a version that changed the files before it failed is taken back with them', async () => {
  await publish(2, "if (command === 'serve') { writeFileSync(data, '2'); process.exit(1); }");
  await expect(run()).resolves.toBe(false);
  expect((await asked()).slice(-4)).toEqual(['1 install', '1 serve', '1 restore', '1 serve']);
  expect(await readFile(inFolder('data'), 'utf8')).toBe('1');
});

test('nothing is begun without a backup, over changed files, or over commits of its own', async () => {
  await publish(2);
  await writeFile(inFolder('clone/CHANGELOG.md'), 'mine');
  await expect(run()).rejects.toThrow(/Files of .* were changed.*CHANGELOG\.md/s);
  execFileSync('git', ['-C', inFolder('clone'), 'checkout', '--quiet', '.']);

  await rm(inFolder('data'));
  await expect(run()).rejects.toThrow('Nothing was changed, because there is no backup');
  expect(await version()).toBe('1');

  const commit = ['commit', '--quiet', '--allow-empty', '--message', 'mine'];
  execFileSync('git', [
    '-C',
    inFolder('clone'),
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@localhost',
    ...commit,
  ]);
  await expect(run()).rejects.toThrow(/has commits that the remote has not/);
});
