import { once } from 'node:events';
import { truncate, utimes } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { events } from '../../../bus/subjects.ts';
import type { Caller } from '../../../http/request/caller.ts';
import { namedFields, requestReader } from '../../../http/request/request-reader.ts';
import { type Route, route } from '../../../http/request/route.ts';
import { snapshotEventID, writeSnapshot } from '../../../store/recordings/snapshots.ts';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { authorization, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { routeTable } from '../../support/route-table.ts';
import { HandshakeError } from '../../support/websocket.ts';

/** Accounts that may see some monitors only: every route for users, made from the table that the server itself is made from. */

const rows = routeTable()
  .filter(({ access }) => access === 'user')
  .map((row): [string, Route] => [`${row.method} ${row.path}`, row]);
const byRequest = rows.filter(([, { limit, connect }]) => limit === 'request' && !connect);
const sockets = rows.filter(([, { limit, connect }]) => limit === 'request' && connect);

const guest = { username: 'guest', password: 'welcome' };
const account = { id: 'guest', username: 'guest', isAdmin: false };
/** The guest sees `door`, not `yard`; there is no `none`. */
type Monitor = 'door' | 'yard' | 'none';

let door: FrontDoor;
const recordings = { door: '', yard: '', none: '2026-11-23_03-40-12_none' };
const snapshots = { door: '', yard: '', none: snapshotEventID(began / 1000) };

beforeAll(async () => {
  [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  for (const id of ['door', 'yard'] as const) {
    // A name that would end the element in which a page has it.
    const monitor = {
      id,
      name: `${id} </script>`,
      enable: false,
      alwaysRecord: false,
      videoLength: 15,
      source: 'test',
    };
    expect((await door.change('PUT', '/api/monitor', { ...monitor, sourcetest: {} })).status).toBe(201);
    recordings[id] = await addFootage(door, { start: began, fragments: video.slice(0, 4), monitorID: id });
    snapshots[id] = await happen(id);
  }
  const limited = { ...account, monitors: ['door'], plainPassword: guest.password };
  expect((await door.change('PUT', '/api/account', limited)).status).toBe(201);
});

/** An event with a snapshot. @returns its id. */
async function happen(monitorID: string): Promise<string> {
  const id = snapshotEventID(began / 1000 + 900);
  const outbox = new Outbox(10, () => {});
  outbox.attach(door.bus);
  const detections = [{ label: 'person', score: 90 }];
  outbox.add(events, [monitorID, 'tflite'], {
    ...{ id, monitorID, monitorName: monitorID, source: 'tflite', time: began, detections },
  });
  await outbox.flush(5000);
  await writeSnapshot(door.folder, id, Uint8Array.of(0xff, 0xd8, 0xff, 0xd9));
  return id;
}

/** All of an answer that a client can see, but the time. */
async function seen(path: string, login: typeof guest) {
  const answer = await door.fetch(path, {}, login);
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== 'date'));
  return { status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()).toString('base64') };
}

/** The address of a row with ids of this monitor wherever it names one. */
function address(row: Route, monitor: Monitor): string {
  const fields = [...namedFields(row.params), ...namedFields(row.query)];
  const value = (name: string) =>
    fields.find(({ field }) => field === name)?.names === 'recording' ? recordings[monitor] : monitor;
  const path = row.path.replace(/:(\w+)/g, (_, name: string) => value(name));
  const query = namedFields(row.query).map(({ field }) => `${field}=${value(field)}`);
  const span = { start: began, end: began + 60 * second };
  for (const [name, time] of Object.entries(span))
    if (row.query && Object.hasOwn(row.query.properties, name)) query.push(`${name}=${time}`);
  return query.length > 0 ? `${path}?${query.join('&')}` : path;
}

describe.each(rows)('%s', (_, row) => {
  test('says how it keeps to the monitors that its caller may see', () => {
    const names = [row.params, row.query].flatMap((schema) => Object.keys(schema?.properties ?? {}));
    const known = [...namedFields(row.params), ...namedFields(row.query)].map(({ field }) => field);
    expect(row.limit, 'see `limit` in route.ts').toBeDefined();
    expect(row.limit === 'request', 'ids of monitors and recordings have the schemas for them').toBe(
      known.length > 0,
    );
    // A session is of an account. The handlers of the others are asked below.
    if (row.limit === 'answer' || row.path.startsWith('/api/session/')) return;
    const ids = names.filter((name) => /^id$|monitor|recording|event/i.test(name));
    expect(ids.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe.each(byRequest)('%s', (_, row) => {
  test('shows the guest its own monitor as it shows it to others', async () => {
    const own = await seen(address(row, 'door'), guest);
    expect(own).toEqual(await seen(address(row, 'door'), user));
    expect(own.status).toBe(200);
  });

  test('answers for a hidden monitor as for one that does not exist', async () => {
    const hidden = await seen(address(row, 'yard'), guest);
    expect(hidden).toEqual(await seen(address(row, 'none'), guest));
    // There is something to hide; and the guest's answer is that for others, too, where there is nothing.
    expect(await seen(address(row, 'yard'), user)).not.toEqual(hidden);
    expect(await seen(address(row, 'none'), user)).toEqual(hidden);
  });
});

describe.each(sockets)('the WebSocket %s', (_, row) => {
  const handshake = async (monitor: Monitor, login: typeof guest) => {
    try {
      const feed = await door.feed(address(row, monitor), login);
      feed.socket.terminate();
      return 101;
    } catch (error) {
      if (error instanceof HandshakeError) return error.status;
      throw error;
    }
  };

  test('opens for the guest on its own monitor, and on a hidden one as on one that does not exist', async () => {
    expect(await handshake('door', guest)).toBe(101);
    expect(await handshake('yard', user)).toBe(101);
    const absent = await handshake('none', user);
    expect([await handshake('yard', guest), await handshake('none', guest)]).toEqual([absent, absent]);
    expect(absent).toBe(404);
  });

  test('closes when the list of its account changes', async () => {
    const login = { username: 'passing', password: 'p' };
    const put = (monitors: string[]) =>
      door.accounts.put({ id: 'passing', username: 'passing', isAdmin: false, monitors, plainPassword: 'p' });
    await put(['door', 'yard']);
    const feed = await door.feed(address(row, 'yard'), login);
    await put(['door']);
    expect(await feed.closed).toBe(4401);
  });
});

test('every route whose handler keeps to the limit itself is tested below', () => {
  const byAnswer = rows.filter(([, { limit }]) => limit === 'answer').map(([name]) => name);
  expect(byAnswer).toEqual(['GET /api/monitor/states', 'GET /api/event/:id/snapshot.jpeg', 'GET /live']);
});

describe('the guest', () => {
  test('sees the snapshots of its own monitor alone', async () => {
    const of = (monitor: Monitor, login = guest) =>
      seen(`/api/event/${snapshots[monitor]}/snapshot.jpeg`, login);
    expect(await of('door')).toEqual(await of('door', user));
    expect((await of('door')).status).toBe(200);
    expect((await of('yard', user)).status).toBe(200);
    expect(await of('yard')).toEqual(await of('none'));
    expect((await of('yard')).status).toBe(404);
    expect((await seen('/api/event/G7TRMJ1M5Z7Q0F3XG4D0KQ/snapshot.jpeg', guest)).status).toBe(404);
  });

  test('is told the names and states of its own monitors alone', async () => {
    const of = async (login: typeof guest) => {
      const answer = await door.fetch('/api/monitor/states', {}, login);
      return ((await answer.json()) as { id: string }[]).map(({ id }) => id);
    };
    expect([await of(user), await of(guest)]).toEqual([['door', 'yard'], ['door']]);
  });

  test('is told the same by the document of the live page, as data that no browser runs', async () => {
    const known = async (login: typeof guest) => {
      const text = await (await door.fetch('/live', {}, login)).text();
      const [, json = ''] = /<script id="known" type="application\/json">(.*?)<\/script>/s.exec(text) ?? [];
      return [JSON.parse(json), text.includes('yard')];
    };
    const asked = async (login: typeof guest) => ({
      session: await (await door.fetch('/api/session', {}, login)).json(),
      monitors: await (await door.fetch('/api/monitor/states', {}, login)).json(),
    });
    expect(await known(user)).toEqual([await asked(user), true]);
    expect(await known(guest)).toEqual([await asked(guest), false]);
    expect((await door.fetch('/live', {}, guest)).headers.get('cache-control')).toBe('no-store');
  });

  test('finds nothing else in lists of all monitors', async () => {
    const span = `start=${began}&end=${began + 60 * second}`;
    for (const path of [`/api/recording/query?${span}`, `/api/timeline?${span}`]) {
      const [all, some] = [await door.fetch(path, {}, user), await door.fetch(path, {}, guest)];
      expect([path, (await all.text()).includes('yard')]).toEqual([path, true]);
      const text = await some.text();
      expect([path, text.includes('door'), text.includes('yard')]).toEqual([path, true, false]);
      const both = `${path}&monitors=yard,door`;
      expect(await (await door.fetch(both, {}, guest)).text()).toBe(text);
    }
    const older = `/api/recording/query?before=${recordings.yard}`;
    expect(await (await door.fetch(older, {}, guest)).text()).not.toContain('yard');
  });

  test('reads which monitors it may see, and admins read it of all', async () => {
    const mine = await (await door.fetch('/api/session', {}, guest)).json();
    expect(mine).toMatchObject({ username: 'guest', monitors: ['door'] });
    const accounts = (await (await door.fetch('/api/accounts')).json()) as Record<string, object>;
    expect(accounts['guest']).toEqual({ ...account, monitors: ['door'] });
    expect(accounts['user']).not.toHaveProperty('monitors');
    expect(await (await door.fetch('/api/session', {}, user)).json()).toMatchObject({ monitors: null });
  });
});

test('an account with an empty list sees nothing', async () => {
  const blind = { username: 'blind', password: 'welcome' };
  const input = { ...account, id: 'blind', username: 'blind', monitors: [], plainPassword: 'welcome' };
  expect((await door.change('PUT', '/api/account', input)).status).toBe(201);
  const ask = async (path: string) => (await door.fetch(path, {}, blind)).json();
  expect(await ask('/api/recording/query')).toEqual([]);
  expect(await ask(`/api/timeline?start=${began}&end=${began + second}`)).toMatchObject({ monitors: [] });
  expect((await seen(`/api/event/${snapshots.door}/snapshot.jpeg`, blind)).status).toBe(404);
});

describe('the list of an account', () => {
  const id = 'listed';
  const put = async (more: object) => {
    const answer = await door.change('PUT', '/api/account', { ...account, id, username: id, ...more });
    const text = await answer.text();
    return { status: answer.status, problem: text === '' ? undefined : JSON.parse(text) };
  };
  const list = () => door.accounts.get(id)?.monitors;

  test('names monitors that exist', async () => {
    const answer = await put({ monitors: ['door', 'none'], plainPassword: 'p' });
    expect(answer).toMatchObject({ status: 400, problem: { code: 'invalid_value', pointer: '/monitors/1' } });
    expect((await put({ monitors: ['door', 'door'], plainPassword: 'p' })).status).toBe(201);
    expect(list()).toEqual(['door']);
  });

  test('may keep a monitor that was deleted', async () => {
    const gone = {
      id: 'gone',
      name: 'gone',
      enable: false,
      alwaysRecord: false,
      videoLength: 15,
      source: 'test',
    };
    await door.change('PUT', '/api/monitor', { ...gone, sourcetest: {} });
    expect((await put({ monitors: ['door', 'gone'] })).status).toBe(200);
    expect((await door.change('DELETE', '/api/monitor?id=gone')).status).toBe(200);
    expect((await put({ monitors: ['gone', 'door'] })).status).toBe(200);
    expect((await put({ monitors: ['door'] })).status).toBe(200);
    expect((await put({ monitors: ['door', 'gone'] })).status).toBe(400);
  });

  test('stays when a client does not send it, and ends with null', async () => {
    expect((await put({ plainPassword: 'q' })).status).toBe(200);
    expect(list()).toEqual(['door']);
    expect((await put({ monitors: null })).status).toBe(200);
    expect(list()).toBeUndefined();
  });

  test('is refused for an admin, who sees all', async () => {
    expect(await put({ isAdmin: true, monitors: ['door'] })).toMatchObject({
      ...{ status: 400, problem: { pointer: '/monitors' } },
    });
    await put({ monitors: ['door'] });
    expect((await put({ isAdmin: true })).status).toBe(200);
    expect(list()).toBeUndefined();
  });

  test.each([[['a/b']], ['door'], [[1]], [Array(1001).fill('door')]])('is not %j', async (monitors) => {
    expect((await put({ monitors })).status).toBe(400);
  });

  test('ends the sessions of its account when it changes', async () => {
    await put({ monitors: ['door'], plainPassword: 'p' });
    const { headers } = await door.logIn({ username: id, password: 'p' });
    const ask = async () => (await door.fetch('/api/session', { headers }, null)).status;
    expect(await ask()).toBe(200);
    await put({ monitors: ['yard'] });
    expect(await ask()).toBe(401);
  });
});

test('a download is broken off when the list of its account changes', async () => {
  const login = { username: 'loader', password: 'p' };
  const put = (monitors: string[]) =>
    door.accounts.put({ id: 'loader', username: 'loader', isAdmin: false, monitors, plainPassword: 'p' });
  await put(['yard']);
  const id = await addFootage(door, {
    start: began - 60 * second,
    fragments: video.slice(0, 1),
    monitorID: 'yard',
  });
  const file = pathOf(door.recordingsDir, id, 'yard');
  // More than the buffers on the way take, and too old to grow.
  await truncate(file, 64 * 1024 * 1024);
  await utimes(file, began / 1e6, began / 1e6);
  const options = { headers: authorization(login), rejectUnauthorized: false };
  const outgoing = request(`${door.url}/api/recording/${id}/video.mp4`, options).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, String(64 * 1024 * 1024)]);
  const broken = once(answer, 'error');
  await put(['door']);
  answer.resume();
  await broken;
  expect(answer.complete).toBe(false);
});

test('a route that does not say how it keeps to the limit is not there for callers that have one', () => {
  const row = (more: Partial<Route>) => {
    const read = requestReader(
      route({
        ...more,
        method: 'GET',
        path: '/api/new',
        access: 'user',
        tag: 'Monitor',
        summary: '',
        answers: {},
        handle: () => ({}),
      }),
    );
    const caller = { monitors: ['door'], maySee: (monitorID: string) => monitorID === 'door' };
    return () => read({}, '', undefined, caller as unknown as Caller);
  };
  expect(row({})).toThrow(expect.objectContaining({ code: 'not_found' }));
  expect(row({ limit: 'none' })).not.toThrow();
});
