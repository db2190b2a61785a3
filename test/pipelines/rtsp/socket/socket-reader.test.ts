import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SocketReader } from '../../../../pipelines/rtsp/socket/socket-reader.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { waitFor } from '../../../support/wait.ts';

test('a rest is over when everything is wanted at once', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  atEnd(async () => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const reader = new SocketReader();
  let read = '';
  reader.onChunk = (chunk) => {
    read += chunk.toString();
  };
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', onread: reader.onread });
  atEnd(async () => void socket.destroy());
  reader.attach(socket);
  const [camera] = await accepted;

  reader.rest(60_000);
  camera.write('a');
  await waitFor(() => read === 'a', 5000, 'the first byte');
  camera.write('b');
  await pause(50);
  expect(read).toBe('a');
  reader.setPause(0);
  await waitFor(() => read === 'ab', 5000, 'what came during the rest');
});
