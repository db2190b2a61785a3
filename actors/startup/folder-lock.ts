import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another recorder is running in the same storage folder. */
class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly code = 'storage_in_use';
}

const lockWaitMs = 5000;
/** The names of this process's locks. */
const held = new Set<string>();

/**
 * Locks a folder against a second recorder, for as long as this process lives.
 *
 * The lock is a socket in Linux's abstract namespace: the kernel releases it however the process ends, so there is
 * never a stale lock to clean up. A held lock is retried for 5 s, because a recorder that is stopping may still be
 * closing its files.
 *
 * @throws {LockedError}
 */
export async function lockFolder(folder: string, waitMs = lockWaitMs): Promise<void> {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  for (const end = Date.now() + waitMs; ; await sleep(100)) {
    if (held.has(name) || (await hold(`\0sentrybus-${name}`))) break;
    if (Date.now() > end) throw new LockedError(`${folder}: another recorder is running here`);
  }
  held.add(name);
}

/** @returns false if another process holds the lock. */
function hold(name: string): Promise<boolean> {
  const socket = createServer();
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.listen(name, () => resolve(true));
    socket.unref();
  });
}
