import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another recorder uses the same folder. */
class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly code = 'folder_in_use';
}

const lockWaitMs = 5000;
/** `flock` ends with this code when another process holds the lock. */
const conflictCode = 75;
/** The folders that this process has locked, by device and inode: the kernel gives a second lock to nobody, nor to us. */
const held = new Set<string>();

/**
 * Locks a folder against a second recorder, also one in another container, for as long as this process lives.
 *
 * The kernel holds the lock on the open folder and releases it however the process ends, so there is never a stale lock
 * to clean up. On a file system that has no such locks, a socket in Linux's abstract namespace does the same within a
 * container. A held lock is retried for a while, because a recorder that is stopping may still be closing its files.
 *
 * @returns releases it before that.
 * @throws {LockedError} if another process holds the lock. @throws errors of the file system: the folder must exist.
 */
export async function lockFolder(folder: string, waitMs = lockWaitMs): Promise<() => void> {
  const fd = openSync(folder, 'r');
  const { dev, ino } = fstatSync(fd);
  const id = `${dev}:${ino}`;
  if (held.has(id)) {
    closeSync(fd);
    return () => {};
  }
  const outcome = await flock(fd, waitMs);
  const socket = outcome === 'unsupported' ? await holdSocket(folder, waitMs) : undefined;
  if (outcome !== 'locked' && !socket) {
    closeSync(fd);
    throw new LockedError(`${folder}: another recorder is running here`);
  }
  held.add(id);
  return () => {
    held.delete(id);
    closeSync(fd);
    socket?.close();
  };
}

/**
 * Node.js has no flock(2). The command locks what the descriptor refers to, which stays open here after its end; no
 * other child of this process inherits it.
 */
async function flock(fd: number, waitMs: number): Promise<'locked' | 'conflict' | 'unsupported'> {
  const args = ['--conflict-exit-code', String(conflictCode), '--timeout', String(waitMs / 1000), '3'];
  const child = spawn('flock', args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === conflictCode) return 'conflict';
  return code === 0 ? 'locked' : 'unsupported';
}

/** @returns undefined if another process holds the socket for the whole time. */
async function holdSocket(folder: string, waitMs: number): Promise<Server | undefined> {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  for (const end = Date.now() + waitMs; ; await sleep(100)) {
    const socket = await listen(`\0sentrybus-${name}`);
    if (socket || Date.now() > end) return socket;
  }
}

/** @returns undefined if another process has the name. */
function listen(name: string): Promise<Server | undefined> {
  const socket = createServer();
  return new Promise((resolve) => {
    socket.once('error', () => resolve(undefined));
    socket.listen(name, () => resolve(socket));
    socket.unref();
  });
}
