import { beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../../http/request/route.ts';
import { admin, type FrontDoor, openFrontDoor, type TestSession, user } from '../../support/http-server.ts';
import { testMonitor } from '../../support/monitors.ts';
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
  // A WebSocket opens for a monitor that is there only.
  await door.monitors.put(testMonitor('door'));
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
  // Without login there is no account whose token could be asked for.
  const changes = row.method !== 'GET' && !isPublic;
  /** A public route answers; without its body it says so. */
  const publicStatus = row.method === 'GET' ? 200 : 400;

  test('asks nobody in without a login', async () => {
    const { status, code } = await answer(row, null);
    if (isPublic) expect(status).toBe(publicStatus);
    else expect([status, code]).toEqual([401, 'login_required']);
  });

  test('asks nobody in with a wrong password', async () => {
    const { status, code } = await answer(row, { ...admin, password: 'wrong' });
    if (isPublic) expect(status).toBe(publicStatus);
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
      if (row.method !== 'GET') expect([found.status, found.code]).toEqual([403, 'origin_refused']);
      else expect(found).toSatisfy(passed);
    }
  });

  test('takes an admin on our own page', async () => {
    const token = { 'x-csrf-token': await door.token() };
    expect(
      await answer(row, admin, { ...token, origin: door.url, 'sec-fetch-site': 'same-origin' }),
    ).toSatisfy(passed);
  });

  describe('by cookie', () => {
    /** A session of its own for each request: one of the rows ends it. */
    const bySession = async (
      login: NonNullable<Login>,
      change: (own: TestSession['headers']) => Record<string, string>,
    ) => answer(row, null, change((await door.logIn(login)).headers));

    test('takes an admin on our own page, and lets a user in only where users may', async () => {
      expect(await bySession(admin, (own) => own)).toSatisfy(passed);
      const found = await bySession(user, (own) => own);
      if (row.access === 'admin') expect([found.status, found.code]).toEqual([403, 'admin_required']);
      else expect(found).toSatisfy(passed);
    });

    test('refuses what changes something without the token of this very session', async () => {
      const others = [await door.token(), (await door.logIn()).headers['x-csrf-token'], '', undefined];
      for (const token of others) {
        const found = await bySession(admin, ({ 'x-csrf-token': _, ...own }) =>
          token === undefined ? own : { ...own, 'x-csrf-token': token },
        );
        if (changes) expect([found.status, found.code]).toEqual([403, 'csrf_token_wrong']);
        else expect(found).toSatisfy(passed);
      }
    });

    test('refuses what changes something unless our own page is known to have sent it', async () => {
      const origins = [{}, { 'sec-fetch-site': 'none' }, foreign, { 'sec-fetch-site': 'same-site' }];
      for (const from of origins) {
        const found = await bySession(admin, ({ cookie, 'x-csrf-token': token }) => ({
          ...{ cookie, 'x-csrf-token': token },
          ...from,
        }));
        const embedded = 'sec-fetch-site' in from && from['sec-fetch-site'] === 'same-site';
        if (changes || (embedded && !isPublic))
          expect([found.status, found.code]).toEqual([403, 'origin_refused']);
        else if (!isPublic) expect(found).toSatisfy(passed);
      }
    });
  });
});

describe.each(sockets)('the WebSocket %s', (_, row) => {
  const handshake = async (login: Login, headers: Record<string, string> = {}) => {
    try {
      const feed = await door.feed(row.path.replace(':id', 'door'), login, headers);
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

  test('takes a session only from our own page', async () => {
    const { cookie } = await door.logIn();
    expect(await handshake(null, { cookie, origin: door.url })).toBe(101);
    expect(await handshake(null, { cookie })).toBe(403);
    expect(await handshake(null, { cookie, ...foreign })).toBe(403);
    const { cookie: ofUser } = await door.logIn(user);
    const expected = row.access === 'admin' ? 403 : 101;
    expect(await handshake(null, { cookie: ofUser, origin: door.url })).toBe(expected);
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
