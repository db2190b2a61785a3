import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
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
beforeAll(async () => {
  door = await openFrontDoor();
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
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

  let plain: FrontDoor;
  beforeAll(async () => {
    plain = await openFrontDoor({ tls: { mode: 'off' } });
  });

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
