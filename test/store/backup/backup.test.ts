import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'smol-toml';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../bus/messages.ts';
import { readManifest } from '../../../store/backup/backup-manifest.ts';
import { restoreBackup } from '../../../store/backup/backup-restore.ts';
import { type BackupOrder, writeBackup } from '../../../store/backup/backup-writer.ts';
import { finishRestore } from '../../../store/backup/restore-journal.ts';
import { LogDatabase } from '../../../store/log/worker/log-database.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { project } from '../../support/project.ts';

const unlocked = async () => {};

/** An installation whose files say which one it is. */
async function install(folder: string, text: string, entries = 100) {
  const [configDir, storageDir] = [join(folder, 'configs'), join(folder, 'storage')];
  await mkdir(join(configDir, 'monitors'), { recursive: true });
  await mkdir(join(configDir, 'models', 'yard'), { recursive: true });
  await mkdir(join(folder, 'elsewhere'), { recursive: true });
  const [cert, key] = ['cert', 'key'].map((name) => join(folder, 'elsewhere', `${name}.pem`));
  const config = `# ${text}\nstorage_dir = "${storageDir}" # here\n\n[tls]\nmode = "files"\ncert = "${cert}"\nkey = "${key}"\n`;
  const configFile = join(configDir, 'sentryshot.toml');
  const { database } = await LogDatabase.open(join(storageDir, 'sentrybus.duckdb'));
  await database.writer.append(
    Array.from({ length: entries }, (_, time): LogEntry => {
      return { level: 'info', time, msg: `${text} ${time}`, src: 'app', monitorID: '' };
    }),
    { identity: text, sequence: entries, time: entries, readAt: 1 },
  );
  await database.close();
  await writeFile(configFile, config);
  await writeFile(join(configDir, 'accounts.json'), `{"${text}":1}`);
  await writeFile(join(configDir, 'monitors', 'door.json'), `{"id":"door","name":"${text}"}`);
  await writeFile(join(configDir, 'monitors', `${text}.json`), '{}');
  await writeFile(join(configDir, 'models', 'yard', 'labels.txt'), text);
  for (const dir of [configDir, storageDir]) await writeFile(join(dir, 'storage-id'), text);
  for (const file of [cert, key]) await writeFile(file ?? '', text, { mode: 0o600 });
  const folders = { configFile, configDir, storageDir, mediaDir: join(storageDir, 'media') };
  return { folders, text: config };
}

const order = (folder: string, from: Awaited<ReturnType<typeof install>>): BackupOrder => ({
  ...{ folder, ...from, version: '1', owner: { checkpoint: unlocked } },
  ...{ onProgress: () => {}, lock: unlocked },
});

const restoreTo = (folder: string, configFile: string, isReplacing = false) =>
  restoreBackup({
    ...{ folder, configFile, isReplacing, storageDir: undefined, present: undefined },
    ...{ onProgress: () => {}, lock: unlocked },
  });

/** The content of all files, without those that are kept of an installation before. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /before-restore|elsewhere/.test(path)) continue;
    found[path.slice(folder.length)] = (await readFile(path, 'latin1')).replaceAll(folder, 'FOLDER');
  }
  return found;
}

let place: string;
let backup: string;
beforeAll(async () => {
  place = await temporaryFolder();
  backup = join(place, 'backup');
  const installation = await install(join(place, 'old'), 'old');
  const finished = await writeBackup(order(backup, installation));
  expect(finished).toMatchObject({ entries: 100, events: 0, recordings: 0 });
  const again = writeBackup(order(backup, installation));
  await expect(again).rejects.toThrow('backup is not empty: name a new folder');
  // As on another machine.
  await rm(join(place, 'old'), { recursive: true });
});

describe('a backup', () => {
  test('goes to a folder of another path, with the certificate that was elsewhere', async () => {
    const configFile = join(place, 'new', 'place', 'configs', 'my.toml');
    const { targets } = await restoreTo(backup, configFile);
    const storageDir = join(place, 'new', 'place', 'storage');
    expect(targets).toEqual({ configFile, configDir: dirname(configFile), storageDir });
    const text = await readFile(configFile, 'utf8');
    expect(text).toMatch(/^config_dir = .*\n# old\nstorage_dir = /);
    const external = join(dirname(configFile), 'external');
    expect(parse(text)).toEqual({
      ...{ storage_dir: storageDir, config_dir: dirname(configFile) },
      tls: { mode: 'files', cert: join(external, 'tls.cert'), key: join(external, 'tls.key') },
    });
    expect(await readFile(join(external, 'tls.key'), 'utf8')).toBe('old');
    const files = Object.keys(await contents(join(place, 'new', 'place'))).sort();
    expect(files).toEqual([
      ...['/configs/accounts.json', '/configs/external/tls.cert', '/configs/external/tls.key'],
      ...['/configs/models/yard/labels.txt', '/configs/monitors/door.json', '/configs/monitors/old.json'],
      ...['/configs/my.toml', '/configs/storage-id', '/storage/sentrybus.duckdb', '/storage/storage-id'],
    ]);
  });

  test('with one byte that is damaged, or a file that is missing, is refused, and nothing is changed', async () => {
    const target = join(place, 'untouched');
    const { files } = await readManifest(backup);
    for (const path of [...files.map((file) => file.path), 'manifest.json']) {
      const damaged = join(place, 'damaged');
      await cp(backup, damaged, { recursive: true });
      const content = await readFile(join(damaged, path));
      const at = Math.floor(content.length / 2);
      content[at] = (content[at] ?? 0) ^ 1;
      await writeFile(join(damaged, path), content);
      const restored = restoreTo(damaged, join(target, 'configs', 'sentryshot.toml'));
      await expect(restored, path).rejects.toThrow(/damaged/);
      await rm(join(damaged, path));
      const without = restoreTo(damaged, join(target, 'configs', 'sentryshot.toml'));
      await expect(without, path).rejects.toThrow(/is missing|is no backup/);
      await rm(damaged, { recursive: true });
    }
    expect(await contents(target)).toEqual({});
  });

  test('of a later version is refused with what to do', async () => {
    const later = join(place, 'later');
    await cp(backup, later, { recursive: true });
    const text = JSON.stringify({ format: 2, version: '9' });
    const { createHash } = await import('node:crypto');
    const sum = createHash('sha256').update(text).digest('hex');
    await writeFile(join(later, 'manifest.json'), `${text}\nsha256 ${sum}\n`);
    await expect(restoreTo(later, join(place, 'x', 'configs', 'a.toml'))).rejects.toThrow(
      /was made by version 9, whose format 2 is unknown here: restore it with that version/,
    );
  });

  test('is not made of a damaged database, nor inside the storage, and leaves nothing behind', async () => {
    const installation = await install(join(place, 'broken'), 'broken', 50_000);
    const { storageDir } = installation.folders;
    await expect(writeBackup(order(join(storageDir, 'b'), installation))).rejects.toThrow(
      'choose another disk',
    );
    await expect(writeBackup(order(join(place, 'no', 'b'), installation))).rejects.toThrow(
      'Is its disk mounted?',
    );
    const database = join(storageDir, 'sentrybus.duckdb');
    const content = await readFile(database);
    // Of each block.
    for (let at = 3 * 4096 + 1000; at < content.length; at += 256 * 1024) content.fill(7, at, at + 10);
    await writeFile(database, content);
    await expect(writeBackup(order(join(place, 'b'), installation))).rejects.toThrow(/database is damaged/);
    await truncate(database, 4096);
    await expect(writeBackup(order(join(place, 'b'), installation))).rejects.toThrow(/database is damaged/);
    expect((await readdir(place)).filter((name) => /^\.?b(\.|$)/.test(name))).toEqual([]);
  });
});

test('a database that is checkpointed all the time is copied while its owner waits', async () => {
  const installation = await install(join(place, 'busy'), 'busy');
  const database = join(installation.folders.storageDir, 'sentrybus.duckdb');
  const asked: number[] = [];
  const checkpoint = async (holdMs: number) => void asked.push(holdMs);
  let rows = 0;
  // Once in each copy, unless it is to wait.
  const onProgress = () => {
    if (asked.includes(30_000) || rows === asked.length) return;
    rows += 1;
    const script = `import { DuckDBInstance } from '@duckdb/node-api';
const instance = await DuckDBInstance.create(${JSON.stringify(database)});
await (await instance.connect()).run("INSERT INTO log VALUES (${1000 + rows}, 'info', 'x', '', 'x'); CHECKPOINT");
instance.closeSync();`;
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: project });
  };
  const folder = join(place, 'of-busy');
  const finished = await writeBackup({ ...order(folder, installation), owner: { checkpoint }, onProgress });
  expect(finished.entries).toBe(102);
  expect(asked).toEqual([0, 0, 30_000, 0]);
});

test('an installation is replaced on request only, and whenever that is interrupted the old one or the new one is left', async () => {
  const base = join(place, 'base');
  await install(base, 'before');
  await mkdir(join(base, 'storage', 'bus'));
  await writeFile(join(base, 'storage', 'bus', 'stream'), 'before');
  await writeFile(join(base, 'configs', 'sessions.json'), 'before');
  await writeFile(join(base, 'configs', 'cluster.json'), 'before');
  /** Writes to one path take turns, so an interrupted one needs a path of its own. */
  const makeOld = async (name: string) => {
    const folder = join(place, name);
    await cp(base, folder, { recursive: true });
    return { folder, configFile: join(folder, 'configs', 'sentryshot.toml') };
  };
  const { folder, configFile } = await makeOld('replaced');
  const old = await contents(folder);
  await expect(restoreTo(backup, configFile)).rejects.toThrow(
    /there is an installation already .* --replace/,
  );
  expect(await contents(folder)).toEqual(old);
  await restoreTo(backup, configFile, true);
  const restored = await contents(folder);
  expect(restored['/configs/accounts.json']).toBe('{"old":1}');
  expect(Object.keys(restored)).not.toContain('/storage/bus/stream');
  expect(Object.keys(restored)).not.toContain('/configs/sessions.json');
  // With it the files of the backup would count as overtaken, and not be kept when the cluster replaces them.
  expect(Object.keys(restored)).not.toContain('/configs/cluster.json');

  const outcomes: string[] = [];
  for (let at = 1; ; at += 1) {
    const broken = await makeOld(`interrupted-${at}`);
    if (await restoreUpTo(at, broken.configFile)) break;
    await finishRestore(broken.configFile, unlocked);
    const now = await contents(broken.folder);
    for (const path of Object.keys(now)) if (path.includes('/.')) delete now[path];
    const isOld = now['/configs/accounts.json'] === old['/configs/accounts.json'];
    expect(now, `rename ${at}`).toEqual(isOld ? old : restored);
    outcomes.push(isOld ? 'old' : 'new');
    const names = await readdir(join(broken.folder, 'storage'));
    expect(names.filter((name) => name.startsWith('before-restore'))).toHaveLength(isOld ? 0 : 1);
  }
  // The configuration that is staged, and the journal.
  expect(outcomes.slice(0, 2)).toEqual(['old', 'old']);
  expect(outcomes.slice(2).every((outcome) => outcome === 'new')).toBe(true);
  expect(outcomes.length).toBeGreaterThan(12);
}, 60_000);

/** Restores up to a rename, at which everything ends as if the process had. @returns whether it came to its end before. */
async function restoreUpTo(at: number, configFile: string): Promise<boolean> {
  const { rename } = fs.promises;
  let count = 0;
  const ended = new Promise<boolean>((resolve, reject) => {
    fs.promises.rename = async (from, to) => {
      count += 1;
      if (count < at) return rename(from, to);
      resolve(false);
      return new Promise(() => {});
    };
    syncBuiltinESMExports();
    restoreTo(backup, configFile, true).then(() => resolve(true), reject);
  });
  try {
    return await ended;
  } finally {
    fs.promises.rename = rename;
    syncBuiltinESMExports();
  }
}
