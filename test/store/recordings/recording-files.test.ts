import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { RecordingFiles } from '../../../store/recordings/files/recording-files.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { pathOf } from '../../support/footage.ts';

/** A recording with all that may belong to it. */
async function recordOne(id: string) {
  const recordingsDir = join(await temporaryFolder(), 'recordings');
  const folder = dirname(pathOf(recordingsDir, id));
  await mkdir(folder, { recursive: true });
  for (const ending of ['mp4', 'idx', 'jpeg', 'protected', 'labels'])
    await writeFile(join(folder, `${id}.${ending}`), ending);
  return { files: new RecordingFiles(recordingsDir), folder };
}

test('a recording that gets another id takes along what belongs to it, but its index', async () => {
  const [id, to] = ['2026-11-23_03-40-12_door', '2026-11-23_05-40-12_door'];
  const { files, folder } = await recordOne(id);
  await files.rename(id, to);
  const endings = ['jpeg', 'labels', 'mp4', 'protected'];
  expect((await readdir(folder)).sort()).toEqual(endings.map((ending) => `${to}.${ending}`));
});

test('one that keeps its id keeps what belongs to it, but its index', async () => {
  const id = '2026-11-23_03-40-12_door';
  const { files, folder } = await recordOne(id);
  await files.rename(id, id);
  const endings = ['jpeg', 'labels', 'mp4', 'protected'];
  expect((await readdir(folder)).sort()).toEqual(endings.map((ending) => `${id}.${ending}`));
  for (const ending of endings) expect(await readFile(join(folder, `${id}.${ending}`), 'utf8')).toBe(ending);
});
