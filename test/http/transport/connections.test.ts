import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectPlain, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectSecure } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { limitConnections } from '../../../http/transport/connection-limit.ts';
import { answerRequests, createListener } from '../../../http/transport/listener.ts';
import { certificateSource } from '../../../http/transport/tls.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { admin, type FrontDoor, openFrontDoor } from '../../support/http-server.ts';

const basic = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`;

async function opened(socket: Socket, event = 'connect'): Promise<Socket> {
  atEnd(async () => {
    socket.destroy();
  });
  await once(socket, event);
  socket.on('error', () => {});
  return socket;
}

/** Or closed: the server may end the connection while this side still writes. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['drain', 'close'] as const) socket.once(event, () => resolve());
  });
}

async function received(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return Buffer.concat(pieces).toString('latin1');
}

let door: FrontDoor;
let plain: FrontDoor;
beforeAll(async () => {
  [door, plain] = await Promise.all([openFrontDoor(), openFrontDoor({ tls: { mode: 'off' } })]);
});

test('1,100 silent connections of one address shut nobody out', async () => {
  const feed = await door.feed('/api/log/feed');
  let ended = false;
  void feed.closed.then(() => {
    ended = true;
  });
  const crowd: Socket[] = [];
  for (let n = 0; n < 1100; n += 1) {
    const socket = connectPlain({ port: door.server.port, host: '127.0.0.1', localAddress: '127.0.0.3' });
    crowd.push(await opened(socket));
  }
  const response = await door.fetch('/api/health');
  expect(response.status).toBe(200);
  await expect.poll(() => crowd.filter((socket) => socket.destroyed).length).toBeGreaterThanOrEqual(100);
  expect(crowd[0]?.destroyed).toBe(true);
  expect(crowd.at(-1)?.destroyed).toBe(false);
  expect(ended).toBe(false);
});

/** Of another protocol, which is ignored. */
const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

test.each([
  ['that do not end', 'POST /api/session', 'Content-Length: 10\r\n'],
  ['that do not end and offer another protocol', 'POST /api/session', `${offer}Content-Length: 10\r\n`],
  ['that offered another protocol once', 'GET /api/health', offer],
])('requests %s shut nobody out', async (_, line, headers) => {
  const crowd: Socket[] = [];
  for (let n = 0; n < 1100; n += 1) {
    const socket = connectPlain({ port: plain.server.port, host: '127.0.0.1', localAddress: '127.0.0.4' });
    crowd.push(await opened(socket));
    // Otherwise an answer that is not read hides the end.
    socket.resume();
    socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  }
  const response = await fetch(`${plain.url}/api/health`);
  expect(response.status).toBe(200);
  await expect.poll(() => crowd.filter((socket) => socket.destroyed).length).toBeGreaterThanOrEqual(100);
});

test('an address whose connections are all in use makes room for another address', async () => {
  const server = createServer(() => {});
  limitConnections(server, 3);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const from = async (localAddress: string) => {
    const socket = await opened(connectPlain({ port, host: '127.0.0.1', localAddress }));
    const asked = once(server, 'request');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return { socket, asked };
  };
  const crowd: Socket[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { socket, asked } = await from('127.0.0.5');
    await asked;
    crowd.push(socket);
  }
  const { asked } = await from('127.0.0.6');
  await asked;
  await expect.poll(() => crowd.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  // It may not do so to itself, over and over.
  const { socket } = await from('127.0.0.5');
  await expect.poll(() => socket.destroyed).toBe(true);
  expect(crowd.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
});

test('requests that do not wait for their answers end their connection', async () => {
  const socket = await opened(connectPlain({ port: plain.server.port, host: '127.0.0.1' }));
  const answers = received(socket);
  socket.write('GET /api/monitors HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5000));
  expect((await answers).match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(8);
  const few = await opened(connectPlain({ port: plain.server.port, host: '127.0.0.1' }));
  const all = received(few);
  const ask = (more: string) => `GET /api/health HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  few.write(ask('').repeat(5) + ask('Connection: close\r\n'));
  expect((await all).match(/HTTP\/1\.1 200/g)).toHaveLength(6);
});

test('an answer that takes its time is not taken for a client that does not read', async () => {
  const server = createListener(false, {}, 500);
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  answerRequests(server, async (_, response) => {
    await pause(1500);
    response.end('at last');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('at last');
});

test('downloads in one connection that is lost give back all they hold', async () => {
  const server = createListener(false, {}, 60_000);
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  let held = 0;
  answerRequests(server, (_, response) => {
    held += 1;
    response.on('close', () => {
      held -= 1;
    });
    response.write(Buffer.alloc(10_000_000));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = await opened(connectPlain({ port, host: '127.0.0.1' }));
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5));
  await expect.poll(() => held).toBe(1);
  socket.destroy();
  await expect.poll(() => held).toBe(0);
});

test.each([false, true])('an answer that nobody reads ends after a while (TLS: %s)', async (isSecure) => {
  const source = certificateSource({ tls: { mode: 'self-signed' }, configDir: await temporaryFolder() });
  const tls = isSecure && ((await source?.load()) ?? true);
  const server = createListener(tls, {}, 500);
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  const endless = { left: 0 };
  server.on('request', (_, response) => {
    endless.left += 1;
    response.on('close', () => {
      endless.left -= 1;
    });
    new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
    }).pipe(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const place = { port, host: '127.0.0.1' };
  const open = () =>
    isSecure
      ? opened(connectSecure({ ...place, rejectUnauthorized: false }), 'secureConnect')
      : opened(connectPlain(place));
  const [deaf, slow] = [await open(), await open()];
  for (const socket of [deaf, slow]) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => endless.left).toBe(2);
  // One that reads a little now and then is served.
  const reading = setInterval(() => slow.read(1_000_000), 50);
  atEnd(async () => clearInterval(reading));
  await expect.poll(() => endless.left, { timeout: 10_000 }).toBe(1);
  await pause(2000);
  expect(endless.left).toBe(1);
});

describe('a request that may not send its body', () => {
  test.each([
    ['without a login', '', 401],
    ['of another size than allowed', `Authorization: ${basic}\r\n`, 413],
  ])('is answered %s, and its body is not read', async (_, login, status) => {
    const socket = connectSecure({ port: door.server.port, host: '127.0.0.1', rejectUnauthorized: false });
    await opened(socket, 'secureConnect');
    const answer = received(socket);
    const token = login && `X-CSRF-TOKEN: ${await door.token()}\r\n`;
    socket.write(
      `PUT /api/monitor HTTP/1.1\r\nHost: localhost\r\n${login}${token}Content-Type: application/json\r\nContent-Length: 4000000000\r\n\r\n`,
    );
    const chunk = Buffer.alloc(1_000_000, ' ');
    while (!socket.destroyed && socket.bytesWritten < 200_000_000) {
      if (!socket.write(chunk)) await drained(socket);
    }
    expect(await answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    // What the sockets of both sides hold.
    expect(socket.bytesWritten).toBeLessThan(20_000_000);
  });
});

describe('a request that offers another protocol is answered as HTTP/1.1', () => {
  const tokenOf = async ({ url }: FrontDoor) => {
    const response = await fetch(`${url}/api/account/my-token`, { headers: { Authorization: basic } });
    return response.text();
  };

  test.each([
    ['GET', '/api/monitors', '', 200],
    ['POST', '/api/log/sql', '{"sql":"SELECT 41 + 1 AS answer"}', 200],
  ])('%s %s', async (method, path, body, status) => {
    const socket = await opened(connectPlain({ port: plain.server.port, host: '127.0.0.1' }));
    const answer = received(socket);
    const token = `X-CSRF-TOKEN: ${await tokenOf(plain)}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic}\r\n${token}${offer}`;
    const type = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    socket.write(`${head}${type}\r\n${body}`);
    // The connection is kept, as without the offer.
    socket.write('GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const text = await answer;
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (body !== '') expect(text).toContain('42');
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});
