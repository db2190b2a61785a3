import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveMediaFile } from '../../../store/monitors/media-file.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { monitor, openWith } from '../../support/monitor-files.ts';

test('a file source stays inside the media folder, links included', async () => {
  const media = await temporaryFolder();
  const outside = await temporaryFolder();
  await mkdir(join(media, 'sub'));
  await writeFile(join(media, 'sub', 'clip.mp4'), '');
  await writeFile(join(outside, 'secret.mp4'), '');
  await symlink(join(outside, 'secret.mp4'), join(media, 'link.mp4'));
  await symlink(outside, join(media, 'out'));
  await symlink(join(media, 'sub'), join(media, 'inside'));
  const { monitors } = await openWith({}, media);
  const put = (path: string) =>
    monitors.put(monitor({ source: 'file', sourcertsp: undefined, sourcefile: { path, loop: true } }));

  for (const path of ['sub/clip.mp4', 'inside/clip.mp4', 'later.mp4', 'a..b/..c.mp4']) await put(path);
  for (const path of [
    '',
    '/etc/passwd',
    '..',
    '../x.mp4',
    'sub/../../x.mp4',
    'sub/..',
    'a\\b',
    'a\u0000b',
    'link.mp4',
    'out/secret.mp4',
    'sub',
    '.',
    'x'.repeat(513),
  ]) {
    await expect(put(path), path).rejects.toMatchObject({ code: 'invalid', pointer: '/sourcefile/path' });
  }
  expect(await resolveMediaFile(media, 'inside/clip.mp4')).toBe(join(media, 'sub', 'clip.mp4'));
  await expect(resolveMediaFile(media, 'later.mp4')).rejects.toMatchObject({ code: 'not_found' });
  await expect(resolveMediaFile(join(media, 'none'), 'x')).rejects.toMatchObject({ code: 'not_found' });
});
