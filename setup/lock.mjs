import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { project } from './project.mjs';

/**
 * Runs `work` while no other setup in this clone runs its own.
 *
 * The lock is flock(1)'s and its holder a child that lives as long as our end of its input: the kernel takes
 * it back when this process dies in whatever way, so it can never be left behind.
 *
 * @template T @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function exclusively(work) {
  mkdirSync(join(project, '.cache'), { recursive: true });
  const holder = spawn('flock', [join(project, '.cache', 'setup.lock'), 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const notice = setTimeout(() => process.stderr.write('Waiting for another setup in this folder …\n'), 500);
  try {
    // Without flock there is no lock, which is better than no start.
    await Promise.race([
      new Promise((resolve) => holder.on('error', resolve)),
      new Promise((resolve) => holder.stdout.once('data', resolve)),
    ]);
    clearTimeout(notice);
    return await work();
  } finally {
    clearTimeout(notice);
    holder.stdin.destroy();
  }
}
