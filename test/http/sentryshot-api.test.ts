import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { admin, authorization, type FrontDoor, openFrontDoor, user } from '../support/http-server.ts';
import { isEnabled } from '../support/monitors.ts';
import { waitFor } from '../support/wait.ts';
import { openFeed } from '../support/websocket.ts';

/** One test for each sentence of the API that SentryShot's users know. */

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const json = async (response: Response | Promise<Response>) => (await response).json() as Promise<unknown>;
const status = async (response: Promise<Response>) => (await response).status;

const camera = (id: string) => ({
  id,
  name: 'camera_1',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://user:topsecret@127.0.0.1:8554/main' },
});

describe('REST API', () => {
  test('there is a /api page where you can try the endpoints', async () => {
    const page = await door.fetch('/api');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const text = await page.text();
    for (const [, path = ''] of text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect([path, await status(door.fetch(path))]).toEqual([path, 200]);
    }
  });

  test('all requests require basic auth', async () => {
    for (const path of ['/api', '/', '/assets/style.css', '/api/accounts', '/api/logs', '/nothing/here']) {
      const refused = await door.fetch(path, {}, null);
      expect([path, refused.status]).toEqual([path, 401]);
      expect(refused.headers.get('www-authenticate')).toBe('Basic realm="sentrybus", charset="UTF-8"');
    }
  });

  test.each(['POST', 'PUT', 'DELETE'])(
    '%s requests need a matching CSRF token in the X-CSRF-TOKEN header',
    async (method) => {
      const paths = {
        POST: '/api/monitor/restart?id=none',
        PUT: '/api/account',
        DELETE: '/api/account?id=none',
      };
      const path = paths[method as keyof typeof paths];
      const headers = (token: string) => ({ 'x-csrf-token': token, 'content-type': 'application/json' });
      expect(await status(door.fetch(path, { method }))).toBe(403);
      expect(await status(door.fetch(path, { method, headers: headers('') }))).toBe(403);
      expect(await status(door.fetch(path, { method, headers: headers('x'.repeat(32)) }))).toBe(403);
      // Another account's token is not matching.
      expect(await status(door.fetch(path, { method, headers: headers(await door.token(user)) }))).toBe(403);
      expect(await status(door.fetch(path, { method, headers: headers(await door.token()) }))).not.toBe(403);
    },
  );

  test('the curl examples run as they are written', async () => {
    const own = await openFrontDoor();
    await own.account({ username: 'user', password: 'pass' }, true);
    await own.account({ username: 'x', password: 'pass' }, false);
    const script = `
      set -e
      curl -k -u user:pass -X GET https://127.0.0.1:2020/api/accounts
      echo
      TOKEN=$(curl -k -u user:pass -X GET https://127.0.0.1:2020/api/account/my-token)
      printf "token: %s\\n" "$TOKEN"
      curl -k -u user:pass -X DELETE https://127.0.0.1:2020/api/account?id=x -H "X-CSRF-TOKEN: $TOKEN"
    `.replaceAll('https://127.0.0.1:2020', own.url);
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    const [accounts = '', token] = stdout.split('\n');
    expect(JSON.parse(accounts)).toHaveProperty('x.username', 'x');
    expect(token).toMatch(/^token: [A-Za-z0-9]{32}$/);
    expect(own.accounts.get('x')).toBeUndefined();
  });
});

describe('Account', () => {
  test('PUT /api/account creates or replaces an account', async () => {
    const account = { id: '7phg3h7v3ayb5g2f', username: 'name', isAdmin: false, plainPassword: 'pass' };
    const created = await door.change('PUT', '/api/account', account);
    expect([created.status, await created.text()]).toEqual([201, '']);
    const login = { username: 'name', password: 'pass' };
    expect(await status(door.fetch('/api/account/my-token', {}, login))).toBe(200);
    const { plainPassword: _, ...rest } = account;
    const replaced = await door.change('PUT', '/api/account', { ...rest, username: 'renamed' });
    expect(replaced.status).toBe(200);
    expect(await status(door.fetch('/api/account/my-token', {}, login))).toBe(401);
    expect(await status(door.fetch('/api/account/my-token', {}, { ...login, username: 'renamed' }))).toBe(
      200,
    );
  });

  test('PUT /api/account needs a password for a new account', async () => {
    const refused = await door.change('PUT', '/api/account', { id: 'new', username: 'new', isAdmin: false });
    expect(refused.status).toBe(400);
    expect(await json(refused)).toMatchObject({ code: 'invalid_value', pointer: '/plainPassword' });
  });

  test('DELETE /api/account?id=x deletes an account', async () => {
    await door.account({ username: 'x', password: 'pass' }, false);
    const deleted = await door.change('DELETE', '/api/account?id=x');
    expect([deleted.status, await deleted.text()]).toEqual([200, '']);
    expect(await status(door.change('DELETE', '/api/account?id=x'))).toBe(404);
    expect(await status(door.fetch('/api/account/my-token', {}, { username: 'x', password: 'pass' }))).toBe(
      401,
    );
  });

  test('GET /api/account/my-token returns the temporary CSRF token of your account', async () => {
    const answer = await door.fetch('/api/account/my-token', {}, user);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const token = await answer.text();
    expect(token).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(await door.token(user)).toBe(token);
    expect(await door.token(admin)).not.toBe(token);
  });

  test('any change of an account renews its token, and no other', async () => {
    const login = { username: 'renewed', password: 'pass' };
    await door.account(login, false);
    const [token, other] = [await door.token(login), await door.token()];
    await door.change('PUT', '/api/account', { id: 'renewed', username: 'renewed', isAdmin: false });
    expect(await door.token(login)).not.toBe(token);
    expect(await door.token()).toBe(other);
  });

  test('GET /api/accounts is a JSON response of all accounts', async () => {
    const answer = await door.fetch('/api/accounts');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await json(answer)).toMatchObject({
      admin: { id: 'admin', username: 'admin', isAdmin: true },
      user: { id: 'user', username: 'user', isAdmin: false },
    });
  });

  test('the last admin can be neither deleted nor demoted', async () => {
    for (const answer of [
      await door.change('DELETE', '/api/account?id=admin'),
      await door.change('PUT', '/api/account', { id: 'admin', username: 'admin', isAdmin: false }),
    ]) {
      expect(answer.status).toBe(409);
      expect(await json(answer)).toMatchObject({ code: 'conflict' });
    }
  });

  test('a user name belongs to one account', async () => {
    const twin = { id: 'twin', username: 'admin', isAdmin: false, plainPassword: 'pass' };
    expect(await status(door.change('PUT', '/api/account', twin))).toBe(409);
  });
});

describe('Monitor', () => {
  test('PUT /api/monitor sets the monitor JSON config, and it is applied at once', async () => {
    const created = await door.change('PUT', '/api/monitor', camera('set'));
    expect([created.status, await created.text()]).toEqual([201, '']);
    expect(door.applied.at(-1)).toEqual({ monitorID: 'set', restart: false });
    const odd = { ...camera('set'), ours: { not: ['known'] } };
    expect(await status(door.change('PUT', '/api/monitor', odd))).toBe(200);
    expect(await json(door.fetch('/api/monitors'))).toHaveProperty('set.ours', { not: ['known'] });
    expect(await status(door.change('PUT', '/api/monitor', camera('set')))).toBe(200);
    expect(await json(door.fetch('/api/monitors'))).not.toHaveProperty('set.ours');
  });

  test('PUT /api/monitor says which field is wrong, plugin sections included', async () => {
    const bad = {
      ...camera('bad'),
      motion: { enable: true, feedRate: 2, duration: 1, zones: [{ enable: 'yes' }] },
    };
    const refused = await door.change('PUT', '/api/monitor', bad);
    expect(refused.status).toBe(400);
    expect(await json(refused)).toMatchObject({
      code: 'invalid_value',
      pointer: expect.stringMatching(/^\/motion\/zones\/0/),
    });
  });

  test('DELETE /api/monitor?id=x deletes a monitor', async () => {
    await door.change('PUT', '/api/monitor', camera('x'));
    const deleted = await door.change('DELETE', '/api/monitor?id=x');
    expect([deleted.status, await deleted.text()]).toEqual([200, '']);
    expect(door.applied.at(-1)).toEqual({ monitorID: 'x', restart: false });
    expect(await status(door.change('DELETE', '/api/monitor?id=x'))).toBe(404);
  });

  test('GET /api/monitors returns all monitor JSON configs, their passwords masked', async () => {
    await door.change('PUT', '/api/monitor', camera('masked'));
    const answer = await door.fetch('/api/monitors');
    const text = await answer.text();
    expect(text).not.toContain('topsecret');
    const { masked } = JSON.parse(text) as Record<string, ReturnType<typeof camera>>;
    expect(masked).toEqual({
      ...camera('masked'),
      sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://user:********@127.0.0.1:8554/main' },
    });
    await door.change('PUT', '/api/monitor', { ...masked, name: 'renamed' });
    expect(door.monitors.get('masked')).toMatchObject({
      name: 'renamed',
      sourcertsp: camera('masked').sourcertsp,
    });
  });

  test.each(['motion', 'tflite'] as const)('PATCH toggles %s and restarts the monitor', async (detector) => {
    const id = `toggled${detector}`;
    await door.change('PUT', '/api/monitor', camera(id));
    for (const [verb, enable] of [
      ['enable', true],
      ['disable', false],
    ] as const) {
      // Without a token, as SentryShot has it.
      const toggled = await door.fetch(`/api/monitor/${id}/${detector}/${verb}`, { method: 'PATCH' });
      expect([toggled.status, await toggled.text()]).toEqual([200, '']);
      expect(isEnabled(door.monitors, id, detector)).toBe(enable);
      expect(door.applied.at(-1)).toEqual({ monitorID: id, restart: true });
    }
    expect(await status(door.fetch(`/api/monitor/none/${detector}/enable`, { method: 'PATCH' }))).toBe(404);
    const headers = { 'x-csrf-token': 'wrong' };
    expect(
      await status(door.fetch(`/api/monitor/${id}/${detector}/enable`, { method: 'PATCH', headers })),
    ).toBe(403);
  });

  test('POST /api/monitor/restart?id= restarts a monitor', async () => {
    await door.change('PUT', '/api/monitor', camera('restarted'));
    expect(await status(door.change('POST', '/api/monitor/restart?id=restarted'))).toBe(200);
    expect(door.applied.at(-1)).toEqual({ monitorID: 'restarted', restart: true });
    expect(await status(door.change('POST', '/api/monitor/restart?id=none'))).toBe(404);
  });
});

describe('Logs', () => {
  const query = async (search: string) => (await json(door.fetch(`/api/log/query${search}`))) as LogEntry[];
  const messages = async (search: string) => (await query(search)).map(({ msg }) => msg);

  beforeAll(async () => {
    door.logger.source('recorder').error('error of a', 'a');
    door.logger.source('recorder').warning('warning of b', 'b');
    door.logger.source('recorder').info('info of c', 'c');
    door.logger.source('recorder').debug('debug of nobody');
    door.logger.source('app').error('app of c', 'c');
    door.logger.source('app').error('app of a', 'a');
    await waitFor(async () => (await query('?sources=app&levels=error')).length === 2, 5000, 'the entries');
  });

  test('GET /api/log/query has entries of exactly level, time, msg, src and monitorID, newest first', async () => {
    const entries = await query('?sources=recorder');
    expect(entries.map(({ level, msg, src, monitorID }) => ({ level, msg, src, monitorID }))).toEqual([
      { level: 'debug', msg: 'debug of nobody', src: 'recorder', monitorID: '' },
      { level: 'info', msg: 'info of c', src: 'recorder', monitorID: 'c' },
      { level: 'warning', msg: 'warning of b', src: 'recorder', monitorID: 'b' },
      { level: 'error', msg: 'error of a', src: 'recorder', monitorID: 'a' },
    ]);
    for (const entry of entries)
      expect(Object.keys(entry)).toEqual(['level', 'time', 'msg', 'src', 'monitorID']);
    const times = entries.map(({ time }) => time);
    expect(times).toEqual([...new Set(times)].sort((a, b) => b - a));
  });

  test('time is in Unix microseconds, and entries are strictly older', async () => {
    const [newest] = await query('?sources=recorder&limit=1');
    expect(Math.abs(Date.now() * 1000 - (newest?.time ?? 0))).toBeLessThan(60e6);
    expect(await messages(`?sources=recorder&time=${newest?.time}&limit=1`)).toEqual(['info of c']);
  });

  test('levels, sources and monitors narrow each other, each a set', async () => {
    expect(await messages('?levels=error,warning&sources=recorder')).toEqual(['warning of b', 'error of a']);
    expect(await messages('?monitors=a')).toEqual(['app of a', 'error of a']);
    expect(await messages('?monitors=a&sources=app,recorder&levels=error&limit=1')).toEqual(['app of a']);
    expect(await messages('?monitors=b&levels=error')).toEqual([]);
  });

  test('an empty or absent filter is no filter', async () => {
    expect(await messages('?sources=recorder&levels=&monitors=,&time=&limit=')).toHaveLength(4);
  });

  test('the example URL works as it is written', async () => {
    const path = '/api/log/query?levels=error,warning&sources=app,monitors=a,b&time=1234567890111222&limit=2';
    expect(await json(door.fetch(path))).toEqual([]);
    const now = path.replace('1234567890111222', String(2 ** 53));
    expect(await json(door.fetch(now))).toMatchObject([{ msg: 'app of a', src: 'app', monitorID: 'a' }]);
  });

  test('wss://…/api/logs is a live log feed', async () => {
    const feed = await door.feed('/api/logs?levels=error,warning&monitors=a,b&sources=app,monitor');
    door.logger.source('monitor').info('too low', 'a');
    door.logger.source('monitor').error('of another', 'c');
    door.logger.source('recorder').error('of another source', 'a');
    door.logger.source('monitor').error('wanted', 'b');
    const entry = await feed.frame<LogEntry>(() => true);
    expect(entry).toEqual({
      level: 'error',
      time: entry.time,
      msg: 'wanted',
      src: 'monitor',
      monitorID: 'b',
    });
    expect(Object.keys(entry)).toEqual(['level', 'time', 'msg', 'src', 'monitorID']);
    expect(await messages(`?time=${entry.time + 1}&limit=1`)).toEqual(['wanted']);
    expect(feed.frames).toHaveLength(1);
  });

  test('the feed is also found under its older name', async () => {
    const feed = await door.feed('/api/log/feed?sources=older');
    door.logger.source('older').info('name');
    expect(await feed.frame<LogEntry>(() => true)).toMatchObject({ msg: 'name' });
  });

  test('the feed requires TLS', async () => {
    const plain = door.url.replace('https', 'ws');
    await expect(openFeed(`${plain}/api/logs`, authorization(admin))).rejects.toThrow();
  });
});
