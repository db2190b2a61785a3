import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another recorder runs with the same storage. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly code = 'storage_in_use';
}

const lockWaitMs = 5000;

/**
 * Makes sure that no second recorder works in this folder for as long as this process lives.
 *
 * The lock is a socket in Linux's abstract namespace: the kernel lets go of it however the process ends, so there
 * is never a stale one to clean up. One that is held is waited for a little: a recorder that was told to stop may
 * still be closing its files.
 *
 * @throws {LockedError}
 */
export async function lockFolder(folder: string): Promise<void> {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  for (const end = Date.now() + lockWaitMs; ; await sleep(100)) {
    if (await hold(`\0sentrybus-${name}`)) return;
    if (Date.now() > end) throw new LockedError(`${folder}: another recorder is running here`);
  }
}

/** @returns false when somebody else holds it. */
function hold(name: string): Promise<boolean> {
  const socket = createServer();
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.listen(name, () => resolve(true));
    socket.unref();
  });
}
