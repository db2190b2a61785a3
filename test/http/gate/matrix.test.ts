import { beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../../http/request/route.ts';
import { admin, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import type { Login } from '../../support/recorder.ts';
import { routeTable } from '../../support/route-table.ts';
import { HandshakeError } from '../../support/websocket.ts';

/** Who reaches what: every caller at every row of the table that the server itself is made from. */

// Only the rows' descriptions are read here; no handler of this copy is called.
const table = routeTable();
const requests = table.map((row): [string, Route] => [`${row.method} ${row.path}`, row]);
const sockets = requests.filter(([, row]) => row.connect);

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
  // Known from here on, so that the wrong passwords below do not slow them down.
  await Promise.all([door.token(admin), door.token(user)]);
});

const foreign = { origin: 'https://evil.example' };
const wrongToken = { 'x-csrf-token': 'w'.repeat(32) };

async function answer(row: Route, login: Login, headers: Record<string, string> = {}) {
  const path = row.path.replace(':id', 'none');
  const response = await door.fetch(path, { method: row.method, headers }, login);
  const text = await response.text();
  const code =
    response.headers.get('content-type') === 'application/problem+json' ? JSON.parse(text).code : '';
  return { status: response.status, code: String(code) };
}

/** The handler was reached: what it says about a request without its parts is its own affair. */
const passed = ({ status }: { status: number }) => ![401, 403, 405].includes(status) && status < 500;

describe.each(requests)('%s', (_, row) => {
  const isPublic = row.access === 'public';
  const changes = row.method !== 'GET';

  test('asks nobody in without a login', async () => {
    const { status, code } = await answer(row, null);
    if (isPublic) expect(status).toBe(200);
    else expect([status, code]).toEqual([401, 'login_required']);
  });

  test('asks nobody in with a wrong password', async () => {
    const { status, code } = await answer(row, { ...admin, password: 'wrong' });
    if (isPublic) expect(status).toBe(200);
    // The third in a row is not even checked any more.
    else expect(['401 login_failed', '429 too_many_logins']).toContain(`${status} ${code}`);
  });

  test('lets a user in only where users may', async () => {
    const found = await answer(row, user, { 'x-csrf-token': await door.token(user) });
    if (row.access === 'admin') expect([found.status, found.code]).toEqual([403, 'admin_required']);
    else expect(found).toSatisfy(passed);
  });

  test('lets an admin in', async () => {
    expect(await answer(row, admin, { 'x-csrf-token': await door.token() })).toSatisfy(passed);
  });

  test('refuses an admin with a wrong token where something changes', async () => {
    const found = await answer(row, admin, wrongToken);
    if (changes) expect([found.status, found.code]).toEqual([403, 'csrf_token_wrong']);
    else expect(found).toSatisfy(passed);
  });

  test('refuses an admin without a token, except with PATCH', async () => {
    const found = await answer(row, admin);
    if (changes && row.method !== 'PATCH')
      expect([found.status, found.code]).toEqual([403, 'csrf_token_wrong']);
    else expect(found).toSatisfy(passed);
  });

  test("refuses an admin on another site's page where something changes", async () => {
    const token = { 'x-csrf-token': await door.token() };
    for (const headers of [foreign, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
      const found = await answer(row, admin, { ...token, ...headers });
      if (changes) expect([found.status, found.code]).toEqual([403, 'origin_refused']);
      else expect(found).toSatisfy(passed);
    }
  });

  test('takes an admin on our own page', async () => {
    const token = { 'x-csrf-token': await door.token() };
    expect(
      await answer(row, admin, { ...token, origin: door.url, 'sec-fetch-site': 'same-origin' }),
    ).toSatisfy(passed);
  });
});

describe.each(sockets)('the WebSocket %s', (_, row) => {
  const handshake = async (login: Login, headers: Record<string, string> = {}) => {
    try {
      const feed = await door.feed(row.path, login, headers);
      feed.socket.terminate();
      return 101;
    } catch (error) {
      if (error instanceof HandshakeError) return error.status;
      throw error;
    }
  };

  test.each([
    ['nobody', null, {}, 401],
    ['a user', user, {}, row.access === 'admin' ? 403 : 101],
    ['an admin', admin, {}, 101],
    ["an admin on another site's page", admin, foreign, 403],
    ['an admin whose browser says cross-site', admin, { 'sec-fetch-site': 'cross-site' }, 403],
  ] as const)('answers %s', async (_name, login, headers, expected) => {
    expect(await handshake(login, headers)).toBe(expected);
  });

  test('takes an admin on our own page', async () => {
    expect(await handshake(admin, { origin: door.url })).toBe(101);
  });
});

describe('what is not in the table', () => {
  const unknown = [
    '/nothing',
    '/api/account/',
    '//api/accounts',
    '/API/accounts',
    '/assets/..%2Fapi',
    '/assets/',
    '/.env',
  ];
  test.each(unknown)('%s is not told from anything else without a login', async (path) => {
    expect((await door.fetch(path, {}, null)).status).toBe(401);
    expect((await door.fetch(path, {}, user)).status).toBe(404);
  });

  test('a wrong method is named only to accounts that may use the right ones', async () => {
    expect((await door.fetch('/api/accounts', { method: 'PUT' }, null)).status).toBe(401);
    expect((await door.change('PUT', '/api/accounts', undefined, user)).status).toBe(403);
    const refused = await door.change('PUT', '/api/accounts');
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const account = await door.fetch('/api/account');
    expect([account.status, account.headers.get('allow')]).toEqual([405, 'PUT, DELETE']);
  });

  test.each(['OPTIONS', 'TRACE', 'PROPFIND'])('%s is refused', async (method) => {
    expect((await door.fetch('/api/accounts', { method }, null)).status).toBe(401);
    expect((await door.fetch('/api/accounts', { method })).status).toBe(405);
  });

  test('a WebSocket that is no route is refused like a request', async () => {
    await expect(door.feed('/nothing', null)).rejects.toMatchObject({ status: 401 });
    await expect(door.feed('/nothing')).rejects.toMatchObject({ status: 404 });
    await expect(door.feed('/api/accounts', user)).rejects.toMatchObject({ status: 403 });
    await expect(door.feed('/api/accounts')).rejects.toMatchObject({ status: 400 });
  });
});

test.each(requests.filter(([, row]) => row.method === 'GET'))(
  '%s answers HEAD as well, without a body',
  async (_, row) => {
    const get = await door.fetch(row.path);
    const head = await door.fetch(row.path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([get.status, '']);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    expect((await door.fetch(row.path, { method: 'HEAD' }, null)).status).toBe(
      row.access === 'public' ? 200 : 401,
    );
  },
);
