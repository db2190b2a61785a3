import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ensureFolder, removeFile, writeAtomically } from '../../../bus/base/files.ts';
import { startChild } from '../../support/child.ts';
import { mountOverItself } from '../../support/disk.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { project } from '../../support/project.ts';

const mode = async (path: string) => (await stat(path)).mode & 0o777;

test('files are for the owner and the group, and so are the folders made for them', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'a', 'b', 'file.json');
  await writeAtomically(file, 'one');
  expect(await readFile(file, 'utf8')).toBe('one');
  expect([await mode(file), await mode(join(folder, 'a')), await mode(join(folder, 'a', 'b'))]).toEqual([
    0o640, 0o750, 0o750,
  ]);
  await chmod(file, 0o666);
  await writeAtomically(file, 'secret', 0o600);
  expect(await mode(file)).toBe(0o600);
  await ensureFolder(join(folder, 'a'));
});

test('leftovers of a crash never block a later save', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'file.json');
  const temporary = join(folder, '.file.json.tmp');
  const outside = join(folder, 'outside');
  await writeFile(outside, 'untouched');
  const leftovers = [
    () => writeFile(temporary, 'half', { mode: 0o000 }),
    () => mkdir(join(temporary, 'deep'), { recursive: true }),
    () => symlink(outside, temporary),
  ];
  for (const [n, leave] of leftovers.entries()) {
    await leave();
    await writeAtomically(file, `${n}`);
    expect(await readFile(file, 'utf8')).toBe(`${n}`);
  }
  expect(await readFile(outside, 'utf8')).toBe('untouched');
  expect((await readdir(folder)).sort()).toEqual(['file.json', 'outside']);
});

test('a symbolic link stays, and what it leads to is written', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'elsewhere'));
  await symlink('elsewhere/file', join(folder, 'between'));
  await symlink(join(folder, 'between'), join(folder, 'link'));
  for (const text of ['one', 'two']) {
    await writeAtomically(join(folder, 'link'), text);
    expect(await readFile(join(folder, 'elsewhere', 'file'), 'utf8')).toBe(text);
  }
  expect(await readlink(join(folder, 'link'))).toBe(join(folder, 'between'));
  await symlink('circle', join(folder, 'circle'));
  await expect(writeAtomically(join(folder, 'circle'), 'x')).rejects.toThrow('lead in a circle');
});

test('a file that is a mount of its own is written in place', async (context) => {
  const folder = await temporaryFolder();
  const file = join(folder, 'file');
  await writeFile(file, 'a longer text');
  if (!mountOverItself(file)) context.skip('may not mount');
  await writeAtomically(file, 'short');
  expect(await readFile(file, 'utf8')).toBe('short');
  expect(await readdir(folder)).toEqual(['file']);
});

test('a disk without space leaves the old file as it was, and nothing beside it', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'file.json');
  await writeAtomically(file, 'old');
  const script = join(folder, 'write.mjs');
  const module = pathToFileURL(join(project, 'dist/modules/bus/base/files.js')).href;
  await writeFile(
    script,
    `import { writeAtomically } from ${JSON.stringify(module)};
     process.on('SIGXFSZ', () => {});
     await writeAtomically(${JSON.stringify(file)}, 'x'.repeat(100_000)).then(
       () => console.log('saved'),
       (error) => console.log('failed', error.code));`,
  );
  // A limit of one block for each file stands in for a full disk.
  const child = startChild('bash', ['-c', `ulimit -f 1; exec "$0" "$1"`, process.execPath, script]);
  await child.line(/^failed EFBIG$/);
  await child.exited;
  expect(await readFile(file, 'utf8')).toBe('old');
  expect((await readdir(folder)).sort()).toEqual(['file.json', 'write.mjs']);
});

test('a reader always finds one whole version, also when the writer is killed', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'file.json');
  const script = join(folder, 'write.mjs');
  const module = pathToFileURL(join(project, 'dist/modules/bus/base/files.js')).href;
  await writeFile(
    script,
    `import { writeAtomically } from ${JSON.stringify(module)};
     for (let n = 1; ; n += 1) {
       await writeAtomically(${JSON.stringify(file)}, String(n % 10).repeat(200_000));
       console.log('saved', n);
     }`,
  );
  let reached = 0;
  for (let round = 0; round < 5; round += 1) {
    const child = startChild(process.execPath, [script]);
    await child.line(/^saved \d/);
    for (let look = 0; look < 20; look += 1) {
      const text = await readFile(file, 'utf8');
      expect(text).toHaveLength(200_000);
      expect(new Set(text).size).toBe(1);
    }
    await child.kill();
    const text = await readFile(file, 'utf8');
    expect([text.length, new Set(text).size]).toEqual([200_000, 1]);
    reached = Math.max(reached, child.lines.length);
  }
  expect(reached).toBeGreaterThan(0);
});

test('writers of one file take turns and the last one called wins', async () => {
  const file = join(await temporaryFolder(), 'file');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 2000 }), { minLength: 1, maxLength: 6 }),
      async (all) => {
        await Promise.all(all.map((data) => writeAtomically(file, data)));
        expect(new Uint8Array(await readFile(file))).toEqual(all.at(-1));
      },
    ),
    { numRuns: 30 },
  );
});

test('a failed write does not stop the next one to the same file', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'file');
  await mkdir(join(file, 'in-the-way'), { recursive: true });
  const [first] = await Promise.allSettled([writeAtomically(file, 'one')]);
  expect(first.status).toBe('rejected');
  await removeFile(join(folder, 'not there'));
  await writeAtomically(join(folder, 'other'), 'two');
  expect(await readdir(folder)).toEqual(['file', 'other']);
});
