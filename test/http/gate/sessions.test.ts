import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Sessions } from '../../../store/accounts/sessions.ts';
import { admin, authorization, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';

/** Logins of people: sessions and their cookies. */

interface Listed {
  readonly id: string;
  readonly accountID: string;
  readonly username: string;
  readonly client: string;
  readonly address: string;
  readonly current: boolean;
}

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const json = { 'content-type': 'application/json' };
const post = (headers: Record<string, string>, login: object = admin) =>
  door.fetch(
    '/api/session',
    { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(login) },
    null,
  );
const who = async (headers: Record<string, string>) => {
  const answer = await door.fetch('/api/session', { headers }, null);
  return answer.ok
    ? ((await answer.json()) as { username: string; csrfToken: string; session: object })
    : answer.status;
};
const list = async (headers: Record<string, string>) =>
  (await (await door.fetch('/api/sessions', { headers }, null)).json()) as Listed[];
const code = async (answer: Response) => ((await answer.json()) as { code: string }).code;

describe('the cookie', () => {
  test('is for this host, TLS, requests of our own pages, and no script', async () => {
    const answer = await post({ origin: door.url });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-sentrybus=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
      ),
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('logs in, and says so together with the token for changes', async () => {
    const { headers, id } = await door.logIn();
    const found = await who(headers);
    expect(found).toMatchObject({
      username: 'admin',
      isAdmin: true,
      initialPassword: false,
      session: { id },
    });
    expect(await (await door.fetch('/api/account/my-token', { headers }, null)).text()).toBe(
      headers['x-csrf-token'],
    );
    expect(await who(authorization(admin))).toMatchObject({ username: 'admin', session: null });
  });

  test('of the browser is never made that of a login', async () => {
    const planted = `__Host-sentrybus=${'A'.repeat(43)}`;
    const cookie = (await post({ cookie: planted })).headers.getSetCookie()[0]?.split(';')[0];
    expect([cookie === planted, await who({ cookie: planted })]).toEqual([false, 401]);
    // And an earlier login of this browser is over.
    const before = await door.logIn(user);
    const after = (await post({ cookie: before.cookie })).headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect([await who({ cookie: before.cookie }), await who({ cookie: after })]).toEqual([
      401,
      expect.objectContaining({ username: 'admin' }),
    ]);
  });

  test.each([
    ['twice', (cookie: string) => `${cookie}; ${cookie}`],
    ['under another name', (cookie: string) => cookie.replace('__Host-', '')],
    ['changed in one letter', (cookie: string) => cookie.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))],
    ['empty', () => '__Host-sentrybus='],
  ])('is not taken %s', async (_, change) => {
    expect(await who({ cookie: change((await door.logIn()).cookie) })).toBe(401);
  });

  test('is found among others', async () => {
    const { cookie } = await door.logIn();
    expect(await who({ cookie: `a=b; ${cookie}; __Host-other=c` })).toMatchObject({ username: 'admin' });
  });

  test('is not looked at where there are basic credentials, right or wrong', async () => {
    const { cookie } = await door.logIn();
    expect(await who({ cookie, ...authorization(user) })).toMatchObject({ username: 'user', session: null });
    const wrong = authorization({ ...user, password: 'guess' });
    expect(await who({ cookie, ...wrong })).toBe(401);
    await who(authorization(user));
  });

  test('and the token stay out of the log and of the disk', async () => {
    const { headers, cookie } = await door.logIn();
    const token = cookie.split('=')[1] ?? '';
    await door.fetch(`/nothing/${'x'.repeat(9)}`, { headers }, null);
    const logged = JSON.stringify(door.logged);
    const stored = await readFile(join(door.folder, 'sessions.json'), 'utf8');
    for (const secret of [token, headers['x-csrf-token']])
      expect([logged.includes(secret), stored.includes(secret)]).toEqual([false, false]);
    expect(logged).toContain("'admin' logged in from 127.0.0.1");
  });
});

describe('a login', () => {
  test('by the page of another site, or by a form, is refused', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: door.url },
    ]) {
      const answer = await post(headers);
      expect([answer.status, await code(answer), answer.headers.getSetCookie()]).toEqual([
        ...[403, 'origin_refused', []],
      ]);
    }
    for (const type of ['application/x-www-form-urlencoded', 'text/plain'])
      expect((await post({ 'content-type': type })).status).toBe(415);
  });

  test('with a large body is refused before anything is read of it', async () => {
    const answer = await post({}, { ...admin, password: 'x'.repeat(20_000) });
    expect([answer.status, await code(answer)]).toEqual([413, 'too_large']);
  });

  test('that fails opens no prompt, and slows its address down as basic auth does', async () => {
    const others = await openFrontDoor();
    const guess = { username: 'admin', password: 'guess' };
    const headers = { ...json };
    const attempt = (login: object) =>
      others.fetch('/api/session', { method: 'POST', headers, body: JSON.stringify(login) }, null);
    const first = await attempt(guess);
    expect([first.status, await code(first), first.headers.get('www-authenticate')]).toEqual([
      ...[401, 'login_failed', 'Session realm="sentrybus"'],
    ]);
    expect((await others.fetch('/', {}, guess)).status).toBe(401);
    expect((await attempt({ ...guess, username: 'nobody' })).status).toBe(401);
    const slowed = await attempt(admin);
    expect([slowed.status, slowed.headers.get('retry-after')]).toEqual([429, '1']);
    expect(slowed.headers.getSetCookie()).toEqual([]);
    expect(JSON.stringify(others.logged)).not.toContain('guess');
  });
});

describe('a session ends', () => {
  const put = (more: object) =>
    door.accounts.put({ id: 'guest', username: 'guest', isAdmin: true, plainPassword: 'welcome', ...more });
  const guest = { username: 'guest', password: 'welcome' };

  test.each([
    ['at its logout', 4401, (own: Own) => remove('/api/session', own)],
    [
      'when it is ended from another browser',
      4401,
      async (own: Own) => remove(`/api/session/${own.id}`, await door.logIn(guest)),
    ],
    ['when an admin ends it', 4401, async (own: Own) => remove(`/api/session/${own.id}`, await door.logIn())],
    ['when the password changes', 4401, () => put({ plainPassword: 'other' })],
    ['when the role changes', 4403, () => put({ isAdmin: false })],
    ['when the account is deleted', 4401, () => door.accounts.remove('guest')],
  ] as const)('%s, and its WebSockets with it', async (_, closeCode, end) => {
    await put({});
    const own = await door.logIn(guest);
    const feed = await door.feed('/api/logs', null, { cookie: own.cookie, origin: door.url });
    await end(own);
    expect(await feed.closed).toBe(closeCode);
    expect(await who(own.headers)).toBe(401);
  });

  type Own = Awaited<ReturnType<FrontDoor['logIn']>>;
  async function remove(path: string, by: Own): Promise<void> {
    const answer = await door.fetch(path, { method: 'DELETE', headers: by.headers }, null);
    expect(answer.status).toBe(204);
    const cleared = '__Host-sentrybus=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0';
    expect(answer.headers.getSetCookie()).toEqual(path === '/api/session' ? [cleared] : []);
  }

  test('and is not there after a restart', async () => {
    const own = await door.logIn();
    const kept = await door.logIn();
    await remove('/api/session', own);
    const again = await Sessions.open({ configDir: door.folder, accounts: door.accounts, log: door.log });
    const ids = again.list().map(({ id }) => id);
    await again.close();
    expect([ids.includes(own.id), ids.includes(kept.id)]).toEqual([false, true]);
  });

  test('not by a basic request, which has none', async () => {
    const answer = await door.change('DELETE', '/api/session');
    expect([answer.status, await code(answer)]).toEqual([404, 'not_found']);
  });
});

describe('the list of sessions', () => {
  test('shows users their own, admins all, and marks the one of the request', async () => {
    const [ofUser, ofAdmin] = [await door.logIn(user), await door.logIn()];
    const seen = await list(ofUser.headers);
    expect(new Set(seen.map(({ accountID }) => accountID))).toEqual(new Set(['user']));
    expect(seen.filter(({ current }) => current).map(({ id }) => id)).toEqual([ofUser.id]);
    expect(seen[0]).toMatchObject({ username: 'user', address: '127.0.0.1' });
    const all = await list(ofAdmin.headers);
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining([ofUser.id, ofAdmin.id]));
    expect(await list(authorization(user))).toEqual(
      seen.map((each) => ({ ...each, current: false, used: expect.any(Number) })),
    );
  });

  test("hides that a session of somebody else's is there", async () => {
    const [ofUser, ofAdmin] = [await door.logIn(user), await door.logIn()];
    const end = (id: string) =>
      door.fetch(`/api/session/${id}`, { method: 'DELETE', headers: ofUser.headers }, null);
    const answers = [await end(ofAdmin.id), await end('A'.repeat(22))];
    const [others, nobodys] = await Promise.all(
      answers.map(async (each) => [each.status, await each.json()]),
    );
    expect(others).toEqual(nobodys);
    expect(others?.[0]).toBe(404);
    expect(await who(ofAdmin.headers)).toMatchObject({ username: 'admin' });
  });

  test('says what the browser called itself, without what a terminal or a page would take for more', async () => {
    const answer = await post({ 'user-agent': `Mozilla\t<b>${'é'.repeat(300)}${'x'.repeat(300)}` });
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const client = (await list({ cookie })).find(({ current }) => current)?.client ?? '';
    expect(client).toMatch(/^Mozilla<b>x+$/);
    expect(client).toHaveLength(200);
  });
});

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

test('people who open a page that does not exist get one that says so, and programs an error', async () => {
  const opened = await door.fetch('/nothing', { headers: browser });
  expect([opened.status, opened.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  expect(opened.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await opened.text()).toBe(await (await door.fetch('/api', { headers: browser })).text());
  for (const [path, headers] of [
    ['/nothing', {}],
    ['/nothing', { ...browser, 'sec-fetch-mode': 'cors' }],
    ['/api/nothing', browser],
  ] as const) {
    const answer = await door.fetch(path, { headers });
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'not_found' }]);
  }
});

describe('without a session', () => {
  test.each([
    ['/', '/login'],
    ['/api', '/login?next=%2Fapi'],
    ['/api/recording/query?monitors=a,b', '/login?next=%2Fapi%2Frecording%2Fquery%3Fmonitors%3Da%2Cb'],
    ['/nothing', '/login?next=%2Fnothing'],
    ['//evil.example/', '/login'],
    ['/\\evil.example/', '/login'],
    [`/${'a'.repeat(2000)}`, '/login'],
  ])('people who open %s are sent to the login page', async (path, location) => {
    const answer = await door.fetch(path, { headers: browser }, null);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, location]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  const basic = 'Basic realm="sentrybus", charset="UTF-8"';
  const session = 'Session realm="sentrybus"';

  test.each([
    ['another client', {}, basic],
    ['a page', { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' }, session],
    ['a picture in a page', { 'sec-fetch-mode': 'no-cors', accept: 'image/*' }, session],
    ['a page whose session has ended', { cookie: `__Host-sentrybus=${'A'.repeat(43)}` }, session],
    ['a browser with a wrong password', { ...browser, ...authorization({ ...user, password: 'x' }) }, basic],
  ])('%s gets 401', async (_, headers, challenge) => {
    const answer = await door.fetch('/api/session', { headers }, null);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, challenge]);
    // Not slowed down for the tests that follow.
    await who(authorization(user));
  });

  test('a change is never answered with the login page', async () => {
    const answer = await door.fetch('/api/monitor/restart?id=a', { method: 'POST', headers: browser }, null);
    expect(answer.status).toBe(401);
  });

  test('the login page may send no form, and loads its own script alone', async () => {
    const answer = await door.fetch('/login', { headers: browser }, null);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("form-action 'none'");
    const assets = [...(await answer.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    expect(assets.length).toBeGreaterThan(0);
    for (const path of assets) expect((await door.fetch(path, {}, null)).status).toBe(200);
  });
});

test('where no login is needed nobody can log in', async () => {
  const open = await openFrontDoor({ auth: 'none' });
  const answer = await open.fetch(
    '/api/session',
    { method: 'POST', headers: json, body: JSON.stringify(admin) },
    null,
  );
  expect([answer.status, await code(answer), answer.headers.getSetCookie()]).toEqual([409, 'conflict', []]);
  expect(await (await open.fetch('/api/session', {}, null)).json()).toMatchObject({
    ...{ username: 'everybody', isAdmin: true, session: null },
  });
});
