import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { pruneRecordings } from '../../../store/recordings/recordings.ts';
import { temporaryFolder } from '../../support/folder.ts';

const now = Date.parse('2026-11-23T12:00:00Z');
const enough = 0;

/** Files of a thousand bytes, of one minute ago or older. */
async function folderOf(names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), Buffer.alloc(1000));
    await utimes(join(folder, name), now / 1000, now / 1000 - 61);
  }
  return folder;
}
const left = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const door = '2026/11/01/door/2026-11-01_10-00-00_door';
const gate = '2026/11/01/gate/2026-11-01_09-00-00_gate';
const later = '2026/11/20/gate/2026-11-20_09-00-00_gate';

test('the oldest recordings of all monitors go first, with what belongs to them, until the rest has room', async () => {
  const folder = await folderOf([`${door}.mp4`, `${gate}.mp4`, `${gate}.jpeg`, `${later}.mp4`]);
  expect(await pruneRecordings(folder, { most: 4000, free: enough }, now)).toEqual({
    files: 0,
    bytes: 0,
    diskFull: false,
  });
  expect(await pruneRecordings(folder, { most: 2500, free: enough }, now)).toEqual({
    files: 2,
    bytes: 2000,
    diskFull: false,
  });
  expect(await left(folder)).toEqual(['2026-11-01_10-00-00_door.mp4', '2026-11-20_09-00-00_gate.mp4']);
  expect(await readdir(join(folder, '2026/11/01'))).toEqual(['door']);
  await pruneRecordings(folder, { most: 1500, free: enough }, now);
  expect(await readdir(join(folder, '2026/11'))).toEqual(['20']);
});

test('a full disk takes recordings although they are within their bounds', async () => {
  const folder = await folderOf([`${door}.mp4`, `${gate}.mp4`]);
  const { files, diskFull } = await pruneRecordings(folder, { most: 1e9, free: 1e18 }, now);
  expect({ files, diskFull }).toEqual({ files: 2, diskFull: true });
});

test('what is still written, and what is no recording, stays', async () => {
  const folder = await folderOf([
    `${door}.mp4`,
    `${later}.mp4`,
    'notes.txt',
    '2026/11/01/door/mine.mp4',
    '.door.1.part',
  ]);
  await utimes(join(folder, `${door}.mp4`), now / 1000, now / 1000 - 59);
  await mkdir(join(folder, '2025/01/01/door'), { recursive: true });
  const elsewhere = join(await folderOf(['important']), 'important');
  await symlink(elsewhere, join(folder, '2025/01/01/door/2025-01-01_00-00-00_door.mp4'));
  expect((await pruneRecordings(folder, { most: 1, free: enough }, now)).files).toBe(1);
  expect(await left(folder)).toEqual(
    [
      '.door.1.part',
      '2025-01-01_00-00-00_door.mp4',
      '2026-11-01_10-00-00_door.mp4',
      'mine.mp4',
      'notes.txt',
    ].sort(),
  );
});
