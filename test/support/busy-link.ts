import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { atEnd } from './cleanup.ts';

/** Connections to a port of the loopback interface, whose answers nobody reads for a while. */
export interface BusyLink {
  readonly address: string;
  pause(): void;
  resume(): void;
}

export async function busyLink(port: number): Promise<BusyLink> {
  const sides = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ port, host: '127.0.0.1' });
    near.pipe(far);
    far.on('data', (piece) => near.write(piece));
    sides.add(far);
    const end = () => {
      near.destroy();
      far.destroy();
      sides.delete(far);
    };
    for (const side of [near, far]) side.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => void server.close());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    pause: () => {
      for (const side of sides) side.pause();
    },
    resume: () => {
      for (const side of sides) side.resume();
    },
  };
}
