import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../../actors/base/system-commands.ts';
import { KeptModules } from '../../../actors/service/kept-modules.ts';
import { type RecorderTrial, terminalTrial } from '../../../actors/service/trial.ts';
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

/** An update to version 2 whose process ends when it is to go back: the clone is at that version, and no recorder runs. */
async function killedUpdate(): Promise<void> {
  await publish(2);
  let stops = 0;
  const trial: RecorderTrial = {
    async stop() {
      stops += 1;
      if (stops > 1) throw new Error('killed');
    },
    serves: async () => false,
  };
  await expect(run({ trial })).rejects.toThrow('killed');
  expect(await version()).toBe('2');
  // The next backup may be made in the same second, by which it is named.
  await rm(inFolder('backups'), { recursive: true });
  await writeFile(inFolder('asked'), '');
  reported = [];
}

test('an update that was killed is undone by the next one, which then goes forward', async () => {
  await killedUpdate();
  await expect(run()).resolves.toBe(true);
  expect(reported).toEqual([
    expect.stringMatching(/^The update to [0-9a-f]{10} was interrupted: going back to [0-9a-f]{10} first$/),
    expect.stringMatching(/^Back at [0-9a-f]{10}, which serves$/),
    expect.stringMatching(/^Updated to [0-9a-f]{10}; it serves/),
  ]);
  expect(await asked()).toEqual(['1 install', '1 serve', '1 backup', '2 install', '2 serve']);
  reported = [];
  await expect(run()).resolves.toBe(true);
  expect(reported).toEqual(['Sentrybus is up to date']);
});

test('after an update that was killed, files are replaced by those of the backup by nobody but its user', async () => {
  await killedUpdate();
  await writeFile(inFolder('data'), '2');
  await expect(run()).rejects.toThrow(
    /does not serve: .* `npm run restore -- .*update-.* --replace --config/,
  );
  expect(await asked()).toEqual(['1 install', '1 serve']);
  expect(await readFile(inFolder('data'), 'utf8')).toBe('2');
});

test('an update that was killed is forgotten where somebody has gone on with git', async () => {
  await killedUpdate();
  await publish(3);
  execFileSync('git', ['-C', inFolder('clone'), 'pull', '--quiet'], { stdio: 'pipe' });
  for (let attempt = 1; attempt <= 2; attempt += 1) await expect(run()).resolves.toBe(true);
  expect(reported).toEqual(['Sentrybus is up to date', 'Sentrybus is up to date']);
  expect(await version()).toBe('3');
});

test('packages that an update has put aside are put back by another process, too', async () => {
  await mkdir(inFolder('clone/node_modules/old'), { recursive: true });
  await mkdir(inFolder('clone/.cache'));
  await new KeptModules(inFolder('clone')).keep();
  await mkdir(inFolder('clone/node_modules/new'), { recursive: true });
  await new KeptModules(inFolder('clone')).putBack();
  expect(await readdir(inFolder('clone/node_modules'))).toEqual(['old']);
  await new KeptModules(inFolder('clone')).putBack();
  expect(await readdir(inFolder('clone/node_modules'))).toEqual(['old']);
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
