import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStorage } from '../../../actors/startup/storage-mark.ts';
import { temporaryFolder } from '../../support/folder.ts';

async function installation() {
  const folder = await temporaryFolder();
  const [configDir, storageDir] = [join(folder, 'configs'), join(folder, 'storage')];
  await mkdir(configDir);
  const open = (isNew = false) => openStorage({ configDir, storageDir, isNew });
  const mark = (of: string) => readFile(join(of, 'storage-id'), 'utf8');
  return { configDir, storageDir, open, mark };
}

test('the first start creates the storage, and the following ones recognise it', async () => {
  const { configDir, storageDir, open, mark } = await installation();
  await open();
  await open();
  expect(await mark(storageDir)).toBe(await mark(configDir));
  expect(await mark(storageDir)).toMatch(/^[0-9a-f-]{36}\n$/);
});

test('a storage of an earlier version, without an id, is taken as it is', async () => {
  const { storageDir, open } = await installation();
  await mkdir(join(storageDir, 'recordings'), { recursive: true });
  await open();
  expect((await readdir(storageDir)).sort()).toEqual(['recordings', 'storage-id']);
});

test('a missing or empty folder in place of the storage is refused, and nothing is written there', async () => {
  const { storageDir, open } = await installation();
  await open();
  await rename(storageDir, `${storageDir}-unmounted`);
  await expect(open()).rejects.toThrow(
    /storage is not the storage of the last start \(it has no file storage-id\)\. Is its disk mounted\? .*--new-storage$/,
  );
  await expect(readdir(storageDir)).rejects.toThrow('ENOENT');
  await mkdir(storageDir);
  await expect(open()).rejects.toThrow('Is its disk mounted?');
  expect(await readdir(storageDir)).toEqual([]);
  await rm(storageDir, { recursive: true });
  await rename(`${storageDir}-unmounted`, storageDir);
  await open();
});

test('a new storage is accepted on request, from then on', async () => {
  const { configDir, storageDir, open, mark } = await installation();
  await open();
  await rm(storageDir, { recursive: true });
  await open(true);
  expect(await mark(storageDir)).toBe(await mark(configDir));
  await open();
});

test('the disk of another installation is refused', async () => {
  const { storageDir, open } = await installation();
  await open();
  await writeFile(join(storageDir, 'storage-id'), 'another\n');
  await expect(open()).rejects.toThrow('it has another storage-id');
});

test('a new configuration takes over an existing storage', async () => {
  const { configDir, storageDir, open, mark } = await installation();
  await open();
  const id = await mark(storageDir);
  await rm(join(configDir, 'storage-id'));
  await open();
  expect([await mark(storageDir), await mark(configDir)]).toEqual([id, id]);
});
