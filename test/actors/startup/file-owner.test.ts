import { execFileSync } from 'node:child_process';
import { chown, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { expect, test } from 'vitest';
import { LogDatabase } from '../../../store/log/worker/log-database.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { runProgram } from '../../support/program.ts';

/** Of a user and a group that need not be there. */
const [uid, gid] = [54_321, 54_322];

/** An installation of somebody who is not root. @returns its configuration. */
async function install(folder: string): Promise<string> {
  const [configs, storage] = [join(folder, 'configs'), join(folder, 'storage')];
  await mkdir(join(configs, 'monitors'), { recursive: true });
  const { database } = await LogDatabase.open(join(storage, 'sentrybus.duckdb'));
  await database.close();
  const config = join(configs, 'sentryshot.toml');
  const plugin = [{ name: 'auth_basic', enable: true }];
  await writeFile(config, stringify({ storage_dir: storage, plugin }));
  await writeFile(join(configs, 'accounts.json'), '{}');
  await writeFile(join(configs, 'monitors', 'door.json'), '{}');
  execFileSync('chown', ['--recursive', `${uid}:${gid}`, folder]);
  return config;
}

/** Files and folders that are not theirs. */
async function foreignIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  expect(names).toContain('storage/sentrybus.duckdb');
  const foreign: string[] = [];
  for (const name of names) {
    const found = await lstat(join(folder, name));
    if (found.uid !== uid || found.gid !== gid) foreign.push(name);
  }
  return foreign;
}

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)(
  'what root backs up and restores stays readable for the user of the recorder',
  async () => {
    const [folder, other] = [await temporaryFolder(), await temporaryFolder()];
    const config = await install(folder);
    const backup = join(await temporaryFolder(), 'backup');
    // The recorder does not run: its bus and its database are opened by the backup.
    expect(await runProgram('backup', 'backUp', [backup, '--config', config])).toMatchObject({ code: 0 });
    expect(await readdir(join(folder, 'storage'))).toContain('bus');
    expect(await foreignIn(folder)).toEqual([]);

    const inPlace = await runProgram('restore', 'restore', [backup, '--config', config, '--replace']);
    expect(inPlace).toMatchObject({ code: 0, errors: '' });
    expect(await foreignIn(folder)).toEqual([]);

    await chown(other, uid, gid);
    const elsewhere = join(other, 'configs', 'sentryshot.toml');
    const restored = await runProgram('restore', 'restore', [backup, '--config', elsewhere]);
    expect(restored).toMatchObject({ code: 0, errors: '' });
    expect(await foreignIn(other)).toEqual([]);
  },
);
