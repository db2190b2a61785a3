import { once } from 'node:events';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { LogEntry } from '../../../bus/messages.ts';
import { atEnd } from '../../support/cleanup.ts';
import { admin, authorization, type FrontDoor, openFrontDoor } from '../../support/http-server.ts';
import { waitFor } from '../../support/wait.ts';

/** The live log feed, over real sockets. */

const watcher = { username: 'watcher', password: 'pass' };

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});
beforeEach(() => door.account(watcher, true));

const messages = (frames: readonly string[]) => frames.map((text) => (JSON.parse(text) as LogEntry).msg);

describe('an account that loses its right', () => {
  test('by being deleted is closed with 4401, and gets no frame more', async () => {
    const feed = await door.feed('/api/logs?sources=deleted', watcher);
    door.logger.source('deleted').info('before');
    await feed.frame(() => true);
    await door.change('DELETE', '/api/account?id=watcher');
    door.logger.source('deleted').info('after');
    expect(await feed.closed).toBe(4401);
    expect(messages(feed.frames)).toEqual(['before']);
  });

  test('by being demoted is closed with 4403', async () => {
    const feed = await door.feed('/api/logs?sources=silent', watcher);
    await door.change('PUT', '/api/account', { id: 'watcher', username: 'watcher', isAdmin: false });
    expect(await feed.closed).toBe(4403);
  });

  test('by a new password is closed with 4401', async () => {
    const feed = await door.feed('/api/logs?sources=silent', watcher);
    const account = { id: 'watcher', username: 'watcher', isAdmin: true, plainPassword: 'new' };
    await door.change('PUT', '/api/account', account);
    expect(await feed.closed).toBe(4401);
  });

  test('while entries are on their way gets none that was written after the change', async () => {
    const feed = await door.feed('/api/logs?sources=busy', watcher);
    const log = door.logger.source('busy');
    let count = 0;
    const writing = setInterval(() => log.info(`entry ${count++}`), 1);
    await feed.frame(() => true);
    await door.accounts.remove('watcher');
    const writtenBefore = count;
    expect(await feed.closed).toBe(4401);
    clearInterval(writing);
    expect(feed.frames.length).toBeLessThanOrEqual(writtenBefore);
    expect(messages(feed.frames)).toEqual(Array.from(feed.frames, (_, k) => `entry ${k}`));
  });

  test('does not take others with it', async () => {
    const [lost, kept] = [await door.feed('/api/logs', watcher), await door.feed('/api/logs?sources=app')];
    await door.accounts.remove('watcher');
    await lost.closed;
    door.logger.source('app').info('still here');
    await kept.frame<LogEntry>(({ msg }) => msg === 'still here');
  });
});

describe('after', () => {
  test('resumes without gap or repeat, while entries come in', async () => {
    const log = door.logger.source('resumed');
    const first = await door.feed('/api/logs?sources=resumed');
    for (let k = 0; k < 1500; k += 1) log.info(`entry ${k}`);
    const { time } = await first.frame<LogEntry>(({ msg }) => msg === 'entry 99');
    first.socket.close();
    let written = 1500;
    const writing = setInterval(() => log.info(`entry ${written++}`), 1);
    const second = await door.feed(`/api/logs?sources=resumed&after=${time}`);
    await waitFor(() => second.frames.length > 1700, 10_000, 'old and new entries');
    clearInterval(writing);
    await waitFor(() => second.frames.length === written - 100, 10_000, 'the last entry');
    expect(messages(second.frames)).toEqual(
      Array.from({ length: written - 100 }, (_, k) => `entry ${k + 100}`),
    );
  });

  test('more than is sent at once arrives in order, at a client that reads slowly', async () => {
    const log = door.logger.source('bulk');
    // Several times what may wait for one client, in this process and in the system.
    const count = 4000;
    for (let k = 0; k < count; k += 1) log.info(`${k} ${'x'.repeat(4000)}`);
    await door.logger.flush(15_000);
    const feed = await door.feed('/api/logs?sources=bulk&after=0');
    feed.socket.pause();
    const resting = setInterval(() => {
      feed.socket.resume();
      setTimeout(() => feed.socket.pause(), 2);
    }, 50);
    await waitFor(() => feed.frames.length === count, 30_000, 'all entries');
    clearInterval(resting);
    const order = messages(feed.frames).map((msg) => Number.parseInt(msg, 10));
    expect(order).toEqual(Array.from({ length: count }, (_, k) => k));
  }, 60_000);
});

test('a client that takes nothing is closed with 4408, and holds nobody up', async () => {
  const log = door.logger.source('flood');
  const slow = await door.feed('/api/logs?sources=flood');
  const quick = await door.feed('/api/logs?sources=flood');
  slow.socket.pause();
  let written = 0;
  // Past what the system buffers on the way.
  const writing = setInterval(() => {
    for (let k = 0; k < 10; k += 1) log.info(`${written++} ${'x'.repeat(4000)}`);
  }, 10);
  await waitFor(
    () => door.logged.length > 0 && quick.frames.length > 3000,
    30_000,
    'entries at the quick client',
  );
  // Soon: one that does not answer the close frame within five seconds never sees it.
  slow.socket.resume();
  clearInterval(writing);
  await waitFor(() => quick.frames.length === written, 15_000, 'all entries at the quick client');
  expect(await slow.closed).toBe(4408);
  expect(slow.frames.length).toBeLessThan(written);
}, 60_000);

describe('pings', () => {
  test('are sent, and a client that answers stays', async () => {
    const door = await openFrontDoor({ pingInterval: 20 });
    const feed = await door.feed('/api/logs?sources=app');
    for (let k = 0; k < 5; k += 1) await once(feed.socket, 'ping');
    door.logger.source('app').info('alive');
    await feed.frame<LogEntry>(({ msg }) => msg === 'alive');
  });

  test('end a client that does not answer them', async () => {
    const door = await openFrontDoor({ pingInterval: 20 });
    const url = `${door.url.replace('http', 'ws')}/api/logs`;
    const headers = authorization(admin);
    const socket = new WebSocket(url, { headers, rejectUnauthorized: false, autoPong: false });
    atEnd(async () => socket.terminate());
    const [code] = await once(socket, 'close');
    expect(code).toBe(1006);
  });
});

describe('a client', () => {
  test('that sends anything is closed', async () => {
    const feed = await door.feed('/api/logs');
    feed.socket.send('{"restart":true}');
    expect(await feed.closed).toBe(1008);
  });

  test('that sends much is closed before it is read', async () => {
    const feed = await door.feed('/api/logs');
    feed.socket.send('x'.repeat(100_000));
    expect([1006, 1009]).toContain(await feed.closed);
  });

  test('that asks for answers without taking them is cut off', async () => {
    const feed = await door.feed('/api/logs');
    feed.socket.pause();
    const question = Buffer.alloc(125);
    const asking = setInterval(() => {
      for (let k = 0; k < 2000 && feed.socket.readyState === 1; k += 1) feed.socket.ping(question);
    }, 1);
    expect([4408, 1006]).toContain(await feed.closed);
    clearInterval(asking);
  });

  test('is told when the server stops', async () => {
    const door = await openFrontDoor();
    const feed = await door.feed('/api/logs');
    await door.server.close();
    expect(await feed.closed).toBe(1001);
  });

  test('that does not answer the close is cut off', async () => {
    const door = await openFrontDoor();
    const feed = await door.feed('/api/logs');
    feed.socket.pause();
    await door.server.close();
    // A client that reads nothing notices only when it writes.
    const asking = setInterval(() => feed.socket.ping(), 20);
    expect([1001, 1006]).toContain(await feed.closed);
    clearInterval(asking);
  });
});

test('filters that are none are refused with 400', async () => {
  const bad = [
    'levels=all',
    'levels=error,fatal',
    'after=-1',
    'after=soon',
    'monitors=a b',
    'sources=a&sources=b',
  ];
  for (const search of bad) {
    await expect(door.feed(`/api/logs?${search}`), search).rejects.toMatchObject({ status: 400 });
  }
});

test('a plain request is answered with 426', async () => {
  const answer = await door.fetch('/api/logs');
  expect([answer.status, answer.headers.get('upgrade')]).toEqual([426, 'websocket']);
});

test('without TLS the feed is found at ws', async () => {
  const door = await openFrontDoor({ tls: { mode: 'off' } });
  expect(door.url).toMatch(/^http:/);
  const feed = await door.feed('/api/logs?sources=app');
  door.logger.source('app').info('plain');
  await feed.frame<LogEntry>(({ msg }) => msg === 'plain');
});
