import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { makeClusterKeys, newClusterSecret } from '../../../../bus/nats/control/cluster-keys.ts';

const machines = ['localhost', '127.0.0.1'];

test('machines with one secret believe each other, and nobody else', async () => {
  const secret = newClusterSecret();
  const [own, peer, stranger] = await Promise.all(
    [secret, secret, newClusterSecret()].map((each) => makeClusterKeys(each, machines)),
  );
  if (!own || !peer || !stranger) throw new Error('there are no keys');
  expect(peer.key).not.toBe(own.key);
  expect(new X509Certificate(own.ca).publicKey.equals(new X509Certificate(peer.ca).publicKey)).toBe(true);

  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: true }, (socket) =>
    socket.end('welcome'),
  );
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const greet = async (keys: { ca: string; cert: string; key: string }) => {
    const socket: TLSSocket = connect({
      ...keys,
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    });
    try {
      const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['closed'])]);
      return String(data);
    } catch (error) {
      return (error as Error).message;
    } finally {
      socket.destroy();
    }
  };
  expect(await greet(peer)).toBe('welcome');
  // It does not believe the machine, and if it pretends to, the machine does not believe it.
  expect(await greet(stranger)).not.toBe('welcome');
  expect(await greet({ ...stranger, ca: own.ca })).not.toBe('welcome');
});
