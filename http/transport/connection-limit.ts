import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientKey } from './client-address.ts';

/**
 * Keeps the number of open connections at `max`. One more costs the address with the most connections its oldest
 * silent one (no request is being answered, no WebSocket is open), so that one client cannot shut the others out.
 *
 * Node.js's own `maxConnections` refuses the newcomer instead.
 */
export function limitConnections(server: Server, max: number): void {
  /** Address → connections, the longest silent first. */
  const byAddress = new Map<string, Set<Socket>>();
  /** Remote address and port of the connections that are in use: with TLS, a request has a socket of its own. */
  const inUse = new Set<string>();
  let open = 0;

  const remove = (address: string, socket: Socket) => {
    const sockets = byAddress.get(address);
    if (!sockets?.delete(socket)) return;
    open -= 1;
    if (sockets.size === 0) byAddress.delete(address);
  };

  server.on('connection', (socket: Socket) => {
    const address = clientKey(socket.remoteAddress);
    const sockets = byAddress.get(address) ?? new Set<Socket>();
    // Handed back by `ignoreUpgrade`.
    if (sockets.has(socket)) return;
    byAddress.set(address, sockets.add(socket));
    open += 1;
    const name = nameOf(socket);
    socket.on('close', () => {
      inUse.delete(name);
      remove(address, socket);
    });
    if (open <= max) return;
    const [crowded, candidates] = [...byAddress].reduce((most, next) =>
      next[1].size > most[1].size ? next : most,
    );
    const victim = [...candidates].find((candidate) => !inUse.has(nameOf(candidate))) ?? socket;
    remove(victim === socket ? address : crowded, victim);
    victim.destroy();
  });

  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const name = nameOf(socket);
    inUse.add(name);
    response.on('close', () => inUse.delete(name));
  });
  server.on('upgrade', ({ socket }: IncomingMessage) => {
    if (!socket.destroyed) inUse.add(nameOf(socket));
  });
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
