import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { project } from './project.mjs';

/**
 * Runs `work` while no other setup in this clone runs its own.
 *
 * A child process holds the lock, taken with flock(1), as long as its standard input is open. The kernel closes that
 * pipe however this process dies, so that no stale lock can be left.
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
    // If flock is missing or fails, setup runs without a lock: better than not at all.
    await Promise.race([
      new Promise((resolve) => holder.on('error', resolve).on('exit', resolve)),
      new Promise((resolve) => holder.stdout.once('data', resolve)),
    ]);
    clearTimeout(notice);
    return await work();
  } finally {
    clearTimeout(notice);
    holder.stdin.destroy();
  }
}
