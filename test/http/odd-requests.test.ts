import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { failureCodes } from '../../http/documents/openapi.ts';
import { errors } from '../../http/request/http-error.ts';
import { pathMatcher } from '../../http/request/route.ts';
import { atEnd } from '../support/cleanup.ts';
import { admin, authorization, type FrontDoor, openFrontDoor, user } from '../support/http-server.ts';
import { routeTable } from '../support/route-table.ts';
import { HandshakeError } from '../support/websocket.ts';

/** Requests that nobody would send by mistake: never a 5xx, never a crash, never a secret. */

const table = routeTable();
const rtspPassword = 'S3CRETrtsp';
const typedPassword = 'S3CRETtyped';

const camera = {
  id: 'cam',
  name: 'camera',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: `rtsp://user:${rtspPassword}@127.0.0.1:8554/main` },
};

let door: FrontDoor;
let tokens: Record<'admin' | 'user', string>;
beforeAll(async () => {
  // Without TLS: the same server, and ten times the requests in the same time.
  door = await openFrontDoor({ tls: { mode: 'off' } });
  tokens = { admin: await plainToken(admin), user: await plainToken(user) };
  await door.monitors.put(camera);
});

async function plainToken(login: typeof admin): Promise<string> {
  return (await fetch(`${door.url}/api/account/my-token`, { headers: authorization(login) })).text();
}

interface Odd {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

const oddText = fc.oneof(
  fc.constantFrom(
    '',
    'cam',
    'none',
    '__proto__',
    'constructor',
    '..',
    '%00',
    '%',
    '\u202e',
    'a'.repeat(300),
    '0',
    '-1',
  ),
  fc.constantFrom(
    '9007199254740993',
    '1e999',
    'NaN',
    'null',
    'a,b',
    ',',
    'monitors=a',
    '<script>',
    "' OR 1=1 --",
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

/** As a client would write it; half a surrogate pair cannot be written. */
const encoded = (text: string) => encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const row = fc.constantFrom(...table);
const oddPath = fc.oneof(
  fc.constantFrom(
    '//',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/..%2f..%2fpackage.json',
    '/api/%zz',
    '/%ff',
    '*',
  ),
  fc.constant(`/${'a'.repeat(5000)}`),
  fc.webPath().map((text) => text || '/'),
);
const target = fc
  .oneof(
    { weight: 6, arbitrary: row.map(({ method, path }) => ({ method, path })) },
    {
      weight: 1,
      arbitrary: fc.record({ method: fc.constantFrom(...methods), path: row.map(({ path }) => path) }),
    },
    { weight: 1, arbitrary: fc.record({ method: fc.constantFrom(...methods), path: oddPath }) },
  )
  .chain(({ method, path }) =>
    oddText.map((id) => ({ method, path: path.replace(':id', encoded(id) || 'x') })),
  );

const names = ['id', 'levels', 'sources', 'monitors', 'time', 'limit', 'after', '__proto__'];
const query = fc
  .array(fc.tuple(fc.constantFrom(...names), oddText), { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${encoded(value)}`).join('&'));

const mutated = fc
  .tuple(fc.constantFrom(...Object.keys(camera)), fc.jsonValue())
  .map(([key, value]) => ({ ...camera, [key]: value }));
const body = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constantFrom('a', 'b', 'c').map((id) => Buffer.from(JSON.stringify({ ...camera, id }))),
  },
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: mutated.map((value) => Buffer.from(JSON.stringify(value))) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        id: oddText,
        username: oddText,
        isAdmin: fc.boolean(),
        plainPassword: fc.constantFrom('', null, 7, '\ud800'),
      })
      .map((value) => Buffer.from(JSON.stringify(value))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        '['.repeat(5000),
        '{"a":'.repeat(5000),
        '{"__proto__":{"isAdmin":true}}',
        '"\\ud800"',
        '1e999',
      )
      .map((text) => Buffer.from(text)),
  },
);

const login = fc.oneof(
  { weight: 12, arbitrary: fc.constant(authorization(admin)) },
  { weight: 3, arbitrary: fc.constant(authorization(user)) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: oddText.map((name) => authorization({ username: name, password: typedPassword })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('Basic', 'Basic ====', `Basic ${'A'.repeat(9000)}`, 'Negotiate x')
      .map((text) => ({ authorization: text })),
  },
);

const printable = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019 ,;=*/"<>-'), maxLength: 20 })
  .map((text) => text.trim());
/** One of these, in one request of five. */
const sometimes = <T>(...values: T[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  );
const rarelyRead = [
  'range',
  'if-none-match',
  'accept-encoding',
  'accept',
  'accept-version',
  'x-forwarded-for',
];
const ignored = ['x-http-method-override', 'content-encoding', 'cookie', 'host', 'forwarded'];

const headers = fc
  .record({
    token: sometimes('none', 'wrong'),
    type: sometimes('application/json; charset=utf-16', 'text/plain', 'multipart/form-data', ';'),
    origin: sometimes('https://evil.example', 'null', '', 'http://[', 'file://'),
    more: fc.dictionary(fc.constantFrom(...rarelyRead, ...ignored), printable, { maxKeys: 2 }),
  })
  .map(({ token = 'right', type = 'application/json', origin, more }) => ({
    ...more,
    ...(token !== 'none' && { 'x-csrf-token': token }),
    'content-type': type,
    ...(origin !== undefined && { origin }),
  }));

const odd: fc.Arbitrary<Odd> = fc
  .record({ target, query, headers, login, body })
  .map(({ target: { method, path }, query: search, headers: more, login: who, body: data }) => ({
    method,
    path: search === '' ? path : `${path}?${search}`,
    headers: { ...more, ...who },
    body: data,
  }));

/** Chance alone seldom makes a request that creates something. */
const proper: Odd = {
  method: 'PUT',
  path: '/api/monitor',
  headers: {
    'x-csrf-token': 'right',
    'content-type': 'application/json',
    ...authorization(admin),
  },
  body: Buffer.from(JSON.stringify({ ...camera, id: 'proper' })),
};

/** The token is put in at the end: what a seed gives must not depend on it. */
function complete({ headers: given, body: sent }: Odd): Record<string, string> {
  const isUser = given['authorization'] === authorization(user)['authorization'];
  const token =
    given['x-csrf-token'] === 'right' ? { 'x-csrf-token': isUser ? tokens.user : tokens.admin } : {};
  // Node's client would send the body of a GET or DELETE without saying how long it is.
  const length = sent ? { 'content-length': String(sent.length) } : {};
  return { ...given, ...token, ...length };
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type: string;
  /** The header; empty without one. */
  readonly retryAfter: string;
}

function send(one: Odd): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: '127.0.0.1',
        port: door.server.port,
        method: one.method,
        path: one.path,
        headers: complete(one),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const type = String(incoming.headers['content-type'] ?? '');
          const retryAfter = incoming.headers['retry-after'] ?? '';
          resolve({
            status: incoming.statusCode ?? 0,
            text: Buffer.concat(chunks).toString(),
            type,
            retryAfter,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(one.body);
  });
}

const secrets = [rtspPassword, typedPassword, admin.password, user.password, 'c2NyeXB0'];
const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));
const isDocument = (one: Odd) => one.path.startsWith('/assets/') || one.path.startsWith('/api/openapi');

/** The statuses that the documents know for a request; undefined when it is for no row of the table. */
function documented({ method, path: at }: Odd): Set<number> | undefined {
  const rows = pathMatcher(table)(at.split('?', 1)[0] ?? '');
  const found = rows.find((one) => one.method === (method === 'HEAD' ? 'GET' : method));
  if (!found) return undefined;
  const failures = failureCodes(found).map((code) => errors[code].status);
  return new Set([...Object.keys(found.answers).map(Number), ...failures]);
}

/** Why an answer should not have been given; undefined when all is well. */
function fault(one: Odd, { status, text, type, retryAfter }: Answer): string | undefined {
  const isBusy =
    status === 503 && retryAfter !== '' && /^\/api\/(monitor\/test|log\/(sql|export))/.test(one.path);
  if (status < 200 || (status >= 500 && !isBusy)) return 'a failure of the server';
  if (documented(one)?.has(status) === false) return 'a status that no document knows';
  if (leaks(text).length > 0) return 'a secret';
  if (!isDocument(one) && /\n\s+at |node_modules/.test(text)) return 'a stack';
  if (status >= 400 && one.method !== 'HEAD' && type !== 'application/problem+json')
    return 'no problem document';
  return undefined;
}

test('8,000 odd requests: never a 5xx but a documented “busy”, never a crash, never a secret', async () => {
  atEnd(async () => agent.destroy());
  const statuses = new Map<number, number>();
  const seed = Date.now();
  const left = [...fc.sample(odd, { numRuns: 8000, seed }), proper];
  const work = async () => {
    for (let one = left.pop(); one; one = left.pop()) {
      const answer = await send(one).catch((error: Error) => ({
        ...{ status: 0, text: String(error), type: '', retryAfter: '' },
      }));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const wrong = fault(one, answer);
      if (!wrong) continue;
      left.length = 0;
      const { method, path: at, headers: sent, body: data } = one;
      const told = `${method} ${at} ${JSON.stringify(sent)} ${data?.subarray(0, 300)}`;
      throw new Error(
        `seed ${seed}: ${wrong}: ${told.slice(0, 1000)}: ${answer.status} ${answer.text.slice(0, 300)}`,
      );
    }
  };
  await Promise.all(Array.from({ length: 32 }, work));
  // All that can be said was said: the requests were not all refused at the first check.
  for (const status of [200, 201, 400, 401, 403, 404, 405, 415, 426, 429]) {
    expect(statuses.get(status) ?? 0, `${status} in ${JSON.stringify([...statuses])}`).toBeGreaterThan(0);
  }
  expect(leaks(JSON.stringify(door.logged))).toEqual([]);
  expect(door.logged.filter(({ level }) => level === 'error')).toEqual([]);
  expect((await fetch(`${door.url}/api/health`)).status).toBe(200);
}, 300_000);

test('bytes that are not HTTP are refused or cut off', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc
          .constantFrom('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 'GET  HTTP/9.9\r\n\r\n')
          .map((text) => Buffer.from(text)),
        fc
          .constantFrom(
            'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
          )
          .map((text) => Buffer.from(text)),
      ),
      async (bytes) => {
        const socket = connect(door.server.port, '127.0.0.1');
        socket.on('error', () => {});
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk;
        });
        socket.end(bytes);
        await once(socket, 'close');
        expect(answer).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
      },
    ),
    { numRuns: 300, endOnFailure: true },
  );
  expect((await fetch(`${door.url}/api/health`)).status).toBe(200);
}, 60_000);

test('odd handshakes are refused, and the feed goes on', async () => {
  const feed = await door.feed('/api/logs?sources=app');
  await fc.assert(
    fc.asyncProperty(
      query,
      fc.constantFrom('/api/logs', '/api/log/feed', '/api', '/nothing', '/%zz'),
      async (search, at) => {
        try {
          const other = await door.feed(`${at}?${search}`);
          other.socket.terminate();
        } catch (error) {
          if (!(error instanceof HandshakeError)) throw error;
          expect([400, 404]).toContain(error.status);
        }
      },
    ),
    { numRuns: 300, endOnFailure: true },
  );
  door.logger.source('app').info('still here');
  await feed.frame<{ msg: string }>(({ msg }) => msg === 'still here');
}, 60_000);
