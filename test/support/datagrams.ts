import { execFileSync } from 'node:child_process';
import { createSocket } from 'unix-dgram';
import { atEnd } from './cleanup.ts';

/**
 * The messages that arrive at a Unix socket, as systemd gets them.
 *
 * @param owner the user who may send, if it is not this one.
 */
export function datagramsAt(path: string, owner?: number): string[] {
  const messages: string[] = [];
  const socket = createSocket('unix_dgram');
  socket.on('message', (message) => void messages.push(message.toString('latin1')));
  socket.bind(path);
  if (owner !== undefined) execFileSync('chown', [String(owner), path]);
  atEnd(async () => socket.close());
  return messages;
}
