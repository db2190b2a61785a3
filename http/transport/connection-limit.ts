import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientKey } from './client-address.ts';
import { isIgnoredUpgrade } from './ignored-upgrade.ts';

/**
 * Keeps the number of open connections at `max`. One more costs the address with the most connections its oldest
 * silent one (no whole request is being answered, no WebSocket is open), or if it has none and the newcomer is of another
 * address, its oldest one without a WebSocket: so one client cannot shut the others out.
 *
 * Node.js's own `maxConnections` refuses the newcomer instead.
 */
export function limitConnections(server: Server, max: number): void {
  /** Address → connections, the oldest first. */
  const byAddress = new Map<string, Set<Socket>>();
  /** Remote address and port of the connections that are in use: with TLS, a request has a socket of its own. */
  const inUse = new Set<string>();
  const webSockets = new Set<string>();
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
      webSockets.delete(name);
      remove(address, socket);
    });
    if (open <= max) return;
    const [crowded, candidates] = [...byAddress].reduce((most, next) =>
      next[1].size > most[1].size ? next : most,
    );
    const others = [...candidates].filter((candidate) => !webSockets.has(nameOf(candidate)));
    const silent = others.find((candidate) => !inUse.has(nameOf(candidate)));
    const victim = silent ?? (crowded === address ? undefined : others[0]) ?? socket;
    remove(victim === socket ? address : crowded, victim);
    victim.destroy();
  });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const name = nameOf(request.socket);
    const use = () => {
      if (!response.closed) inUse.add(name);
    };
    // One that never ends is as good as none.
    if (hasBody(request)) request.once('end', use);
    else use();
    response.on('close', () => inUse.delete(name));
  });
  server.on('upgrade', (request: IncomingMessage) => {
    const { socket } = request;
    if (!isIgnoredUpgrade(request) && !socket.destroyed) webSockets.add(nameOf(socket));
  });
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
