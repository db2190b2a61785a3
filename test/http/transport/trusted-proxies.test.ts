import { beforeAll, describe, expect, test } from 'vitest';
import { TrustedProxies } from '../../../http/transport/trusted-proxies.ts';
import { admin, type FrontDoor, openFrontDoor } from '../../support/http-server.ts';

describe('behind a proxy that is trusted', () => {
  let door: FrontDoor;
  beforeAll(async () => {
    door = await openFrontDoor({ trustedProxies: ['127.0.0.0/8'] });
  });
  const logIn = async (from: string, password: string) =>
    (await door.fetch('/api/monitors', { headers: { 'x-forwarded-for': from } }, { ...admin, password }))
      .status;

  test('a guesser slows down only himself, whatever he writes in front of his address', async () => {
    const guesses = Array.from({ length: 30 }, (_, n) => logIn(`192.0.2.${n}, 203.0.113.7`, `guess ${n}`));
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([401, 429]));
    expect(await logIn('203.0.113.7', 'one more')).toBe(429);
    expect(await logIn('203.0.113.8', admin.password)).toBe(200);
  });

  test('a page is ours by the host that the browser knows', async () => {
    const { headers } = await door.logIn();
    const put = (forwarded: Record<string, string>) =>
      door.fetch(
        '/api/monitor/none/restart',
        { method: 'POST', headers: { ...headers, origin: 'https://nvr.example', ...forwarded } },
        null,
      );
    expect((await put({})).status).toBe(403);
    expect((await put({ 'x-forwarded-host': 'nvr.example' })).status).not.toBe(403);
  });

  test('a session shows the address of the client', async () => {
    await door.fetch(
      '/api/session',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: door.url, 'x-forwarded-for': '203.0.113.9' },
        body: JSON.stringify(admin),
      },
      null,
    );
    expect(await (await door.fetch('/api/sessions')).json()).toContainEqual(
      expect.objectContaining({ address: '203.0.113.9' }),
    );
  });
});

const request = (remoteAddress: string, headers: Record<string, string>) =>
  ({ headers, socket: { remoteAddress } }) as unknown as Parameters<TrustedProxies['addressOf']>[0];

test.each([
  ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['10.0.0.1', '198.51.100.1, 10.0.0.2', '198.51.100.1'],
  ['::ffff:10.0.0.1', '2001:db8::1', '2001:db8::1'],
  ['10.0.0.1', 'unknown', '10.0.0.1'],
  ['10.0.0.1', '', '10.0.0.1'],
  ['192.0.2.1', '198.51.100.1', '192.0.2.1'],
])('of %s with X-Forwarded-For: %s the address is %s', (socket, forwarded, expected) => {
  const proxies = new TrustedProxies(['10.0.0.0/8']);
  expect(proxies.addressOf(request(socket, { 'x-forwarded-for': forwarded }))).toBe(expected);
});

test('without trusted proxies the headers mean nothing', () => {
  const proxies = new TrustedProxies([]);
  const forged = request('127.0.0.1', {
    host: 'nvr',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-host': 'evil',
  });
  expect([proxies.addressOf(forged), proxies.headersOf(forged).host]).toEqual(['127.0.0.1', 'nvr']);
});
