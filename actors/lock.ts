import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Another recorder runs with the same storage. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly code = 'storage_in_use';
}

/**
 * Makes sure that no second recorder works in this folder for as long as this process lives.
 *
 * The lock is a socket in Linux's abstract namespace: the kernel lets go of it however the process ends, so there
 * is never a stale one to clean up.
 *
 * @throws {LockedError}
 */
export async function lockFolder(folder: string): Promise<void> {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  const socket = createServer();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause) =>
      reject(new LockedError(`${folder}: another recorder is running here`, { cause })),
    );
    socket.listen(`\0sentrybus-${name}`, resolve);
  });
  socket.unref();
}
