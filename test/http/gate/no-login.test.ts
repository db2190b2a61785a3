import { beforeAll, expect, test } from 'vitest';
import { isForeign, isLocalHost } from '../../../http/gate/origin.ts';
import { type FrontDoor, openFrontDoor } from '../../support/http-server.ts';

/** `auth_none`: everybody is an admin, but nobody else's page is. */

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor({ auth: 'none' });
});

const account = (id: string) => JSON.stringify({ id, username: id, isAdmin: false, plainPassword: 'pass' });

test('every caller is an admin', async () => {
  expect((await door.fetch('/api/accounts', {}, null)).status).toBe(200);
  expect((await door.fetch('/api/accounts', {}, { username: 'who', password: 'ever' })).status).toBe(200);
  const feed = await door.feed('/api/logs?sources=app', null);
  door.logger.source('app').info('for everybody');
  await feed.frame<{ msg: string }>(({ msg }) => msg === 'for everybody');
});

test('a change needs the token all the same, which is one for all', async () => {
  const put = (headers: Record<string, string>) =>
    door.fetch(
      '/api/account',
      { method: 'PUT', body: account('x'), headers: { 'content-type': 'application/json', ...headers } },
      null,
    );
  expect((await put({})).status).toBe(403);
  expect((await put({ 'x-csrf-token': 'wrong' })).status).toBe(403);
  const token = await door.token(null);
  expect(token).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(await door.token(null)).toBe(token);
  expect((await put({ 'x-csrf-token': token, origin: 'https://evil.example' })).status).toBe(403);
  expect((await put({ 'x-csrf-token': token })).status).toBe(201);
});

test('a foreign page cannot open the feed', async () => {
  await expect(door.feed('/api/logs', null, { origin: 'https://evil.example' })).rejects.toMatchObject({
    status: 403,
  });
});

test('a page that has its own name resolve to us (DNS rebinding) gets nothing', async () => {
  for (const path of ['/', '/api/accounts', '/api/account/my-token', '/assets/style.css', '/nothing']) {
    const answer = await door.fetch(path, { headers: { host: 'evil.example:2020' } }, null);
    expect([path, answer.status]).toEqual([path, 403]);
    expect(await answer.json()).toMatchObject({ code: 'host_refused' });
  }
  await expect(door.feed('/api/logs', null, { host: 'evil.example' })).rejects.toMatchObject({ status: 403 });
});

test.each([
  ['127.0.0.1:2020', true],
  ['[::1]:2020', true],
  ['localhost:2020', true],
  ['nvr', true],
  ['nvr.local:2020', true],
  ['nvr.home.arpa', true],
  ['evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['local.evil.example', false],
  ['', false],
  [undefined, false],
  ['a b', false],
])('the host %s is local: %s', (host, expected) => {
  expect(isLocalHost(host)).toBe(expected);
});

test.each([
  [{}, false],
  [{ origin: 'https://nvr:2020' }, false],
  [{ origin: 'https://NVR:2020' }, false],
  [{ origin: 'https://nvr' }, true],
  [{ origin: 'http://nvr:2020' }, true],
  [{ origin: 'https://nvr:2020.evil' }, true],
  [{ origin: 'https://user@nvr:2020' }, true],
  [{ origin: 'https://nvr:2020/' }, true],
  [{ origin: 'null' }, true],
  [{ origin: '' }, true],
  [{ 'sec-fetch-site': 'same-origin' }, false],
  [{ 'sec-fetch-site': 'none' }, false],
  [{ 'sec-fetch-site': 'same-site' }, true],
  [{ 'sec-fetch-site': 'cross-site', origin: 'https://nvr:2020' }, true],
])('%j is foreign: %s', (headers, expected) => {
  expect(isForeign({ host: 'nvr:2020', ...headers }, true)).toBe(expected);
});

test('behind a proxy either scheme is ours, and default ports are equal to none', () => {
  expect(isForeign({ host: 'nvr', origin: 'https://nvr' }, false)).toBe(false);
  expect(isForeign({ host: 'nvr:443', origin: 'https://nvr' }, false)).toBe(false);
  expect(isForeign({ host: 'nvr', origin: 'http://nvr' }, false)).toBe(false);
  expect(isForeign({ host: 'nvr', origin: 'ftp://nvr' }, false)).toBe(true);
});
