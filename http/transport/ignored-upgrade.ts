import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

const hopHeaders = new Set(['upgrade', 'http2-settings']);

/** @returns whether a handshake is one that RFC 9110 lets a server ignore, such as the `h2c` of Java's HTTP client. */
export function isIgnoredUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() !== 'websocket';
}

/**
 * Answers a request as if it had not asked for another protocol. Node.js 20 parses nothing after the headers of an
 * upgrade, so they are put back in front of the body, without the offer, and parsed once more.
 */
export function ignoreUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(n, n + 2);
    if (hopHeaders.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutOffer(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}

function withoutOffer(connection: string): string {
  const kept = connection.split(',').map((option) => option.trim());
  return kept.filter((option) => !hopHeaders.has(option.toLowerCase())).join(', ') || 'keep-alive';
}
