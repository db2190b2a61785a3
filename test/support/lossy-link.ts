import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { atEnd } from './cleanup.ts';

/**
 * Passes connections on to a port of the loopback interface, but of what comes back not the pieces with this text in them, as
 * when a server on the way is killed.
 *
 * @returns its address.
 */
export async function lossyLink(port: number, lost: string): Promise<string> {
  const server = createServer((near) => {
    const far = createConnection({ port, host: '127.0.0.1' });
    near.pipe(far);
    far.on('data', (piece) => {
      if (!piece.includes(lost)) near.write(piece);
    });
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const side of [near, far]) side.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
