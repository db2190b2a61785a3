import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../../actors/startup/folder-lock.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** A process of another container has the kernel's lock in common with this one, and nothing else. */
async function lockElsewhere(folder: string) {
  const child = spawn('flock', ['--nonblock', folder, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const first = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  return { isLocked: String(first[0]).startsWith('locked'), child };
}

test('a folder that another process has locked is refused', async () => {
  const folder = await temporaryFolder();
  await lockElsewhere(folder);
  await expect(lockFolder(folder, 0)).rejects.toThrow('another recorder is running here');
});

test('a folder is locked once the other process ends, in whatever way', async () => {
  const folder = await temporaryFolder();
  const { child } = await lockElsewhere(folder);
  const locked = lockFolder(folder);
  child.kill('SIGKILL');
  await locked;
  expect(await lockElsewhere(folder)).toMatchObject({ isLocked: false });
});

test('a locked folder stays locked under another name, and for the same process', async () => {
  const parent = await temporaryFolder();
  await mkdir(join(parent, 'before'));
  await lockFolder(join(parent, 'before'), 0);
  await rename(join(parent, 'before'), join(parent, 'after'));
  await lockFolder(join(parent, 'after'), 0);
  expect(await lockElsewhere(join(parent, 'after'))).toMatchObject({ isLocked: false });
});
