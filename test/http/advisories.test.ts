import { once } from 'node:events';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { admin, authorization, type FrontDoor, openFrontDoor, user } from '../support/http-server.ts';
import { routeTable } from '../support/route-table.ts';
import { waitFor } from '../support/wait.ts';

/** What went wrong in other recorders, and must not here. Each test is named after its lesson. */

const secret = 'S3CRETrtsp';
const camera = (id: string, more: object = {}) => ({
  id,
  name: id,
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: `rtsp://user:${secret}@127.0.0.1:8554/main?password=${secret}` },
  ...more,
});

const table = routeTable();
let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

/** A request that no client library would send. @returns all that came back. */
async function raw(request: string): Promise<string> {
  const socket = connect({ port: door.server.port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.end(request);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  return answer;
}

const credentials = `Authorization: ${authorization(admin)['authorization']}\r\n`;

describe('configuration saved by a foreign page (CVE-2023-45670, CVE-2024-29193)', () => {
  test('a form cannot send what a change needs, even with the token', async () => {
    const token = await door.token();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const headers = { 'x-csrf-token': token, 'content-type': type };
      const body = JSON.stringify(camera('formed'));
      expect((await door.fetch('/api/monitor', { method: 'PUT', headers, body })).status).toBe(415);
    }
  });

  test('no answer lets another origin read it', async () => {
    const answer = await door.fetch('/api/accounts', { headers: { origin: 'https://evil.example' } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });
});

describe('names that become HTML (CVE-2023-45671, CVE-2016-10203, CVE-2023-47620)', () => {
  const script = '<script>alert(1)</script>';

  test('what was sent is never answered as HTML', async () => {
    for (const path of [
      `/${script}`,
      `/api/log/query?levels=${script}`,
      `/api/monitor/${script}/motion/enable`,
    ]) {
      const answer = await door.fetch(encodeURI(path), { method: path.includes('motion') ? 'PATCH' : 'GET' });
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  test('pages run no script but their own', async () => {
    const policy = (await door.fetch('/api')).headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe-(inline|eval)/);
    expect(policy).toContain("frame-ancestors 'none'");
  });
});

test('data that becomes code (CVE-2023-45672): a body is JSON and nothing else', async () => {
  const headers = { 'x-csrf-token': await door.token(), 'content-type': 'application/yaml' };
  expect(
    (await door.fetch('/api/monitor', { method: 'PUT', headers, body: 'id: !!js/function' })).status,
  ).toBe(415);
  const polluted = `{"__proto__":{"isAdmin":true},"id":"p","username":"p","isAdmin":false,"plainPassword":"p"}`;
  const json = { ...headers, 'content-type': 'application/json' };
  expect((await door.fetch('/api/account', { method: 'PUT', headers: json, body: polluted })).status).toBe(
    400,
  );
});

test('long names that stall the server (CVE-2024-32874): every text is bounded', async () => {
  const long = '\u0301'.repeat(200_000);
  const account = { id: 'long', username: long, isAdmin: false, plainPassword: 'p' };
  expect((await door.change('PUT', '/api/account', account)).status).toBe(400);
  expect(
    (await door.change('PUT', '/api/account', { ...account, username: 'long', plainPassword: long })).status,
  ).toBe(400);
  expect((await door.change('PUT', '/api/monitor', camera('long', { name: long }))).status).toBe(400);
  expect((await door.fetch(`/api/log/query?monitors=${'a,'.repeat(4000)}`)).status).toBe(400);
  expect(await raw(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 .*headers_too_large/s,
  );
  const headers = { 'x-csrf-token': await door.token(), 'content-type': 'application/json' };
  const nested = await door.fetch('/api/monitor', {
    method: 'PUT',
    headers,
    body: '['.repeat(5000) + ']'.repeat(5000),
  });
  expect([nested.status, ((await nested.json()) as { code: string }).code]).toEqual([400, 'malformed_json']);
  const big = await door.change('PUT', '/api/monitor', camera('big', { padding: 'x'.repeat(2_000_000) }));
  expect([big.status, ((await big.json()) as { code: string }).code]).toEqual([413, 'too_large']);
});

test('paths taken from clients (CVE-2025-62382): there is no way from a request to a file of its choice', async () => {
  const ways = [
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/..\\..\\package.json',
    '/assets//etc/passwd',
    '/assets/%2e%2e/routes.ts',
  ];
  for (const path of ways) {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\n${credentials}Connection: close\r\n\r\n`);
    expect([path, answer.slice(9, 12)]).toEqual([path, '404']);
  }
  for (const path of ['../../etc/passwd', '/etc/passwd', '..\\secret', 'a/../../b']) {
    const monitor = camera('file', { source: 'file', sourcefile: { path, loop: true } });
    expect((await door.change('PUT', '/api/monitor', monitor)).status).toBe(400);
  }
});

test('a viewer who deletes an admin (GHSA-vg28-83rp-8xx4): every route that changes something is for admins', async () => {
  // Everybody may log in, and out.
  const own = ['POST /api/session', 'DELETE /api/session', 'DELETE /api/session/:id'];
  const changing = table.filter(({ method, path }) => method !== 'GET' && !own.includes(`${method} ${path}`));
  for (const row of changing) expect([row.path, row.access]).toEqual([row.path, 'admin']);
  expect((await door.change('DELETE', '/api/account?id=admin', undefined, user)).status).toBe(403);
  expect(door.accounts.get('admin')).toBeDefined();
});

test('sources that run programs (CVE-2026-25643): a source is one of three kinds, a stream rtsp or rtsps', async () => {
  for (const mainStream of [
    'exec:sh',
    'file:///etc/passwd',
    'http://127.0.0.1/',
    'rtsp://a/ ! filesink',
    'ffmpeg:rtsp://a',
    'RTSP:exec',
    'rtsp://a" ! fakesink',
  ]) {
    const monitor = camera('exec', { sourcertsp: { protocol: 'tcp', mainStream } });
    expect([mainStream, (await door.change('PUT', '/api/monitor', monitor)).status]).toEqual([
      mainStream,
      400,
    ]);
  }
  expect((await door.change('PUT', '/api/monitor', camera('exec', { source: 'exec' }))).status).toBe(400);
});

test('media and sockets that skip the gate (GHSA-74x4, GHSA-hh3j, CVE-2026-54258): only health and the login answer strangers', () => {
  expect(
    table.filter(({ access }) => access === 'public').map(({ method, path }) => `${method} ${path}`),
  ).toEqual([
    ...['POST /api/session', 'GET /api/health', 'GET /login'],
    ...['GET /assets/login.js', 'GET /assets/login.css'],
  ]);
});

test('commands over a WebSocket without a role (GHSA-r5fm-h944-8chq): a feed takes no messages', async () => {
  const feed = await door.feed('/api/logs');
  feed.socket.send(JSON.stringify({ command: 'restart' }));
  expect(await feed.closed).toBe(1008);
});

test('credentials in a shared cache (GHSA-4vfc-hxpj-f7x7): no answer of the API is kept', async () => {
  for (const row of table.filter(({ method, path }) => method === 'GET' && path.startsWith('/api/'))) {
    expect([row.path, (await door.fetch(row.path)).headers.get('cache-control')]).toEqual([
      row.path,
      'no-store',
    ]);
  }
  // A page has its account and its monitors in it.
  expect((await door.fetch('/api')).headers.get('cache-control')).toBe('no-store');
});

test('passwords in the log (GHSA-c4qf-xxq4-vf55): neither a changed monitor nor a failed login leaves one there', async () => {
  await door.change('PUT', '/api/monitor', camera('logged'));
  await door.change('PUT', '/api/monitor', camera('logged', { videoLength: -1 }));
  await door.fetch('/api/accounts', {}, { username: 'admin', password: 'attempted' });
  await waitFor(
    () => door.logged.some(({ msg }) => msg.startsWith('login failed')),
    5000,
    'the failed login',
  );
  const logged = JSON.stringify(door.logged);
  expect(logged).not.toContain(secret);
  expect(logged).not.toContain('attempted');
  const entries = (await (await door.fetch('/api/log/query?limit=10000')).json()) as LogEntry[];
  expect(JSON.stringify(entries)).not.toContain(secret);
  expect((await door.fetch('/api/log/query', {}, user)).status).toBe(403);
});

test('reads that show passwords (CVE-2026-75608): no answer holds one, for any account', async () => {
  await door.change('PUT', '/api/monitor', camera('shown', { note: `rtsp://other:${secret}@127.0.0.1/` }));
  for (const row of table.filter(({ method }) => method === 'GET')) {
    const text = await (await door.fetch(row.path)).text();
    expect([row.path, text.includes(secret), text.includes('c2NyeXB0')]).toEqual([row.path, false, false]);
  }
  const refused = await door.change('PUT', '/api/monitor', camera('shown', { videoLength: 'x' }));
  expect(await refused.text()).not.toContain(secret);
});

test('feeds opened by a foreign page (cross-site WebSocket hijacking): every handshake looks at Origin', async () => {
  for (const origin of [
    'https://evil.example',
    'null',
    'http://127.0.0.1',
    `${door.url}.evil.example`,
    door.url.replace('https', 'http'),
  ]) {
    await expect(door.feed('/api/logs', admin, { origin }), origin).rejects.toMatchObject({ status: 403 });
  }
});

test('requests hidden in requests: two lengths are one too many', async () => {
  const answer = await raw(
    `POST /api/monitor/restart?id=a HTTP/1.1\r\nHost: a\r\n${credentials}Content-Length: 30\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/accounts HTTP/1.1\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
});
