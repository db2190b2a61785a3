import { randomUUID } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { hostname } from 'node:os';
import { tableFromIPC } from '@uwdata/flechette';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DetectionEvent, RecordingReport } from '../../../bus/messages.ts';
import { deliveries, events, objects, recordings } from '../../../bus/subjects.ts';
import { admin, authorization, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { waitFor } from '../../support/wait.ts';

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const ask = async (sql: string) => {
  const response = await door.change('POST', '/api/log/sql', { sql });
  return { status: response.status, body: await response.json() };
};

const manyRows = `WITH ${[...'abcd'].map((name) => `${name} AS (VALUES ${'(1),'.repeat(99)}(1))`)} SELECT *, '${'x'.repeat(200)}' FROM a, b, c, d`;

const event = (id: string): DetectionEvent => ({
  id,
  monitorID: 'door',
  monitorName: 'Front door',
  source: 'motion',
  time: 1_795_405_212_123_456,
  detections: [
    { label: 'zone0', score: 40 },
    { label: 'zone1', score: 50 },
  ],
});

test('what was logged, detected and recorded before a statement is seen by it', async () => {
  const mark = randomUUID();
  door.logger.source('app').info(`logged before ${mark}`, 'door');
  await door.logger.flush(5000);
  const logged = await ask(`SELECT count(*) FROM logs WHERE msg = 'logged before ${mark}'`);
  expect(logged.body.rows).toEqual([[1]]);
  const recording: RecordingReport = {
    ...{ id: '2026-11-23_03-40-12_door', monitorID: 'door', state: 'started', reason: '' },
    ...{ start: 1_795_405_212_100_000, end: 1_795_405_213_100_000, bytes: 2000 },
    streams: [{ codec: 'h264', width: 320, height: 240 }],
  };
  await door.bus.store(recordings, ['door'], recording, randomUUID());
  for (let n = 1; n <= 10; n += 1) {
    const id = `${mark}-${n}`;
    await door.bus.store(events, ['door', 'motion'], event(id), id);
    // Published twice, stored once.
    await door.bus.store(events, ['door', 'motion'], event(id), id);
    const { body } = await ask(
      `SELECT count(*), count(DISTINCT id), max(time), min(storedAt > time) FROM events WHERE id LIKE '${mark}%'`,
    );
    expect(body.rows).toEqual([[2 * n, n, 1_795_405_212_123_456, true]]);
  }
  const found = await ask('SELECT * FROM recordings');
  expect(found.body).toEqual({
    columns: [
      ...['id', 'monitorID', 'stream'].map((name) => ({ name, type: 'VARCHAR' })),
      ...['startTime', 'endTime', 'bytes'].map((name) => ({ name, type: 'BIGINT' })),
      { name: 'videoCodec', type: 'VARCHAR' },
      ...['width', 'height'].map((name) => ({ name, type: 'INTEGER' })),
      ...['audioCodec', 'reason', 'machine'].map((name) => ({ name, type: 'VARCHAR' })),
    ],
    rows: [
      [recording.id, 'door', 'main', recording.start, null, 2000, 'h264', 320, 240, null, '', hostname()],
    ],
    truncated: false,
  });
});

test('an event that fits its shape and no column does not keep the next one from being stored', async () => {
  const odd: DetectionEvent = {
    ...event('odd'),
    monitorName: 'half \ud83d pair',
    detections: [{ label: 'nul \0', score: 1, box: { x: -1e300, y: 2 ** 40, width: 0, height: 1 } }],
  };
  await door.bus.store(events, ['door', 'motion'], odd, 'odd');
  await door.bus.store(events, ['door', 'motion'], event('next'), 'next');
  const { body } = await ask("SELECT DISTINCT id, x, y FROM events WHERE id IN ('odd', 'next') ORDER BY id");
  expect(body.rows).toEqual([
    ['next', null, null],
    ['odd', -2_147_483_648, 2_147_483_647],
  ]);
});

test('what an earlier version has stored, with times as text, is read after an update; what has no time is left out', async () => {
  const encode = (message: object) => new TextEncoder().encode(JSON.stringify(message));
  const [time, timeUs] = ['2026-11-23T03:40:12.123456000Z', 1_795_405_212_123_456];
  const earlier = (id: string, text: string) => encode({ ...event(id), time: text });
  const { bus } = door;
  await bus.storeEncoded(events.subject('door', 'motion'), earlier('text', time), 'text');
  await bus.storeEncoded(events.subject('door', 'motion'), earlier('none', '2026-02-31T03:40:12Z'), 'none');
  const object = { id: 'text', monitorID: 'door', label: 'person', score: 60, eventID: 'text' };
  await bus.storeEncoded(objects.subject('door'), encode({ ...object, start: time, end: time }), 'object');
  const delivery = { eventID: 'text', monitorID: 'door', source: 'motion', storedAt: 1, deliveredAt: 2 };
  const report = encode({ deliveries: [{ ...delivery, time }] });
  await bus.storeEncoded(deliveries.subject('mqtt'), report, 'delivery');
  await bus.store(events, ['door', 'motion'], event('later'), 'later');
  const { body } = await ask(`SELECT 'event', id, time FROM events WHERE id IN ('text', 'none', 'later')
    UNION SELECT 'object', id, startTime FROM objects UNION SELECT 'object end', id, endTime FROM objects
    UNION SELECT 'delivery', id, time FROM deliveries ORDER BY ALL`);
  expect(body.rows).toEqual([
    ['delivery', 'text', timeUs],
    ['event', 'later', timeUs],
    ['event', 'text', timeUs],
    ['object', 'text', timeUs],
    ['object end', 'text', timeUs],
  ]);
});

describe('what cannot be answered is 400 with the reason', () => {
  test.each([
    ["COPY logs TO '/tmp/x'", 'only one SELECT'],
    ['SELECT nothing FROM logs', 'nothing'],
    ['SELECT * FROM log', 'unknown table "log"; available: logs, events'],
    ["SELECT getenv('HOME')", 'the function getenv'],
    ['SELECT msg::INTEGER FROM logs', 'Could not convert'],
    ['SELEC 1', 'syntax error'],
  ])('%s', async (sql, reason) => {
    const { status, body } = await ask(sql);
    expect([status, body.code, body.pointer]).toEqual([400, 'invalid_value', '/sql']);
    expect(body.detail).toContain(reason);
  });

  test.each([{}, { sql: '' }, { sql: 1 }, { sql: 'select 1', more: 1 }, { sql: 'x'.repeat(10_001) }])(
    '%j',
    async (value) => {
      expect((await door.change('POST', '/api/log/sql', value)).status).toBe(400);
    },
  );
});

describe('the form of the answer', () => {
  const sql = "SELECT label, score, '' AS nothing, NULL AS none FROM events WHERE id = 'form' ORDER BY label";
  const request = async (accept: string, statement = sql) =>
    door.fetch('/api/log/sql', {
      method: 'POST',
      headers: { 'x-csrf-token': await door.token(), 'content-type': 'application/json', accept },
      body: JSON.stringify({ sql: statement }),
    });
  beforeAll(async () => void (await door.bus.store(events, ['door', 'motion'], event('form'), 'form')));

  test('is CSV when that is asked for', async () => {
    const response = await request('text/csv');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('vary')).toBe('Accept');
    expect(await response.text()).toBe('label,score,nothing,none\r\nzone0,40,"",\r\nzone1,50,"",\r\n');
  });

  test('is an Arrow stream when that is asked for', async () => {
    const response = await request('application/vnd.apache.arrow.stream');
    expect(response.headers.get('content-type')).toBe('application/vnd.apache.arrow.stream');
    const read = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
    expect(read.toArray().map((row) => ({ ...row }))).toEqual([
      { label: 'zone0', score: 40, nothing: '', none: null },
      { label: 'zone1', score: 50, nothing: '', none: null },
    ]);
  });

  test.each([
    ['*/*', 'application/json'],
    ['', 'application/json'],
    ['image/png', 'application/json'],
    ['text/*', 'text/csv'],
    ['application/json;q=0.5, text/csv;q=0.9, */*;q=0.1', 'text/csv'],
    ['text/csv;q=0, */*', 'application/json'],
    ['Text/CSV ; charset=utf-8', 'text/csv'],
  ])('for Accept: %s is %s', async (accept, type) => {
    const response = await request(accept);
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(type);
    await response.arrayBuffer();
  });

  test('is a problem when the statement is refused, whatever was asked for', async () => {
    for (const accept of ['text/csv', 'application/vnd.apache.arrow.stream']) {
      const response = await request(accept, 'SELECT * FROM log');
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_value', pointer: '/sql' });
    }
  });

  test('comes to its end for the next one, also when clients go in the middle', async () => {
    const headers = {
      ...authorization(admin),
      'x-csrf-token': await door.token(),
      'content-type': 'application/json',
      accept: 'text/csv',
    };
    for (let n = 0; n < 5; n += 1) {
      await new Promise<void>((resolve, reject) => {
        const options = { method: 'POST', headers, rejectUnauthorized: false };
        const outgoing = httpsRequest(`${door.url}/api/log/sql`, options, (incoming) => {
          expect(incoming.statusCode).toBe(200);
          incoming.once('readable', () => incoming.destroy());
          incoming.once('close', resolve);
        });
        outgoing.on('error', reject);
        outgoing.end(JSON.stringify({ sql: manyRows }));
      });
      await waitFor(async () => (await request('text/csv', 'SELECT 1')).status === 200, 5000, 'its turn');
    }
  });
});

test('a user, and an admin without the token, put no statement', async () => {
  expect((await door.change('POST', '/api/log/sql', { sql: 'select 1' }, user)).status).toBe(403);
  const headers = { ...authorization(admin), 'content-type': 'application/json' };
  const bare = await door.fetch('/api/log/sql', { method: 'POST', headers, body: '{"sql":"select 1"}' });
  expect([bare.status, (await bare.json()).code]).toEqual([403, 'csrf_token_wrong']);
});

test('a statement ends when its client goes', async () => {
  const aborter = new AbortController();
  const headers = { 'x-csrf-token': await door.token(), 'content-type': 'application/json' };
  const sql = `WITH ${'abcdefgh'.split('').map((name) => `${name} AS (VALUES ${'(1),'.repeat(200)}(1))`)} SELECT count(*) FROM a, b, c, d, e, f, g, h WHERE a.col0 + b.col0 + c.col0 + d.col0 + e.col0 + f.col0 + g.col0 + h.col0 = 9`;
  const asked = door.fetch('/api/log/sql', {
    method: 'POST',
    headers,
    body: JSON.stringify({ sql }),
    signal: aborter.signal,
  });
  asked.catch(() => {});
  // The answer to another question of the same thread comes while the statement runs.
  await (await door.fetch('/api/log/query')).json();
  const before = Date.now();
  aborter.abort();
  await expect(asked).rejects.toThrow();
  // It would have held up the next one for five seconds.
  expect((await ask('SELECT 1')).body.rows).toEqual([[1]]);
  expect(Date.now() - before).toBeLessThan(4500);
});
