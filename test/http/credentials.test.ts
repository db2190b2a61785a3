import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { parseRtspAddress } from '../../bus/base/rtsp-address.ts';
import { redactor } from '../../pipelines/redactor.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { FakeCamera } from '../support/fake-camera.ts';
import { type FrontDoor, openFrontDoor } from '../support/http-server.ts';
import { rtsp } from '../support/monitor-files.ts';
import { errorOf, openSession, view } from '../support/rtsp-viewer.ts';

/** A camera's login, from what an admin types to what the camera gets, and everything that anybody can read. */

const odd = fc.constantFrom(...`/?#%@:;&='"\\.+ ~{}[]<>|^\`$!,*()-_`);
const letter = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 });
const printable = fc
  .string({ unit: fc.oneof({ weight: 3, arbitrary: odd }, { weight: 2, arbitrary: letter }), maxLength: 8 })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text));
/** Both ends are letters that nothing else here holds, so that a part of a password is recognized. */
const [head, tail] = ['Zq7x', 'k9Wv'];
const password = printable.map((middle) => `${head}${middle}${tail}`);
const user = printable.map((rest) => `u${rest}`);

const login = {
  ...{ user: '', password: '' },
  challenges: ['Digest realm="camera", nonce=NONCE, qop="auth", algorithm=SHA-256'],
};

let door: FrontDoor;
let camera: FakeCamera;
beforeAll(async () => {
  door = await openFrontDoor();
  camera = await FakeCamera.start({ login });
});

const typed = (name: string, secret: string) => `rtsp://${name}:${secret}@127.0.0.1:${camera.port}/main?a=b`;
const escaped = (name: string, secret: string) => typed(encodeURIComponent(name), encodeURIComponent(secret));

function expectSecret(text: string): void {
  expect(text).not.toContain(head);
  expect(text).not.toContain(tail);
}

async function put(mainStream: string, more = {}): Promise<{ status: number; body: string }> {
  const response = await door.change('PUT', '/api/monitor', rtsp(mainStream, more));
  const body = await response.text();
  expectSecret(body);
  return { status: response.status, body };
}

/** Stores the address, reads it back, sends back what was read, and logs in with what is then stored. */
async function goThrough(address: string): Promise<void> {
  expect((await put(address, { protocol: 'http' })).status).toBe(400);
  const read = await (await door.fetch('/api/monitors')).text();
  expectSecret(read);
  const { one } = JSON.parse(read) as Record<string, { sourcertsp: { mainStream: string } }>;
  expect((await put(one?.sourcertsp.mainStream ?? '')).status).toBe(200);
  const stored = door.monitors.get('one')?.sourcertsp?.mainStream ?? '';
  expect(stored).toBe(address);

  const before = camera.requests.length;
  const session = await openSession(stored);
  await session.close();
  expect(camera.login?.wrong).toBe(0);
  for (const { text } of camera.requests.slice(before)) expectSecret(text);
}

async function expectRefused(address: string): Promise<void> {
  const wrong = { ...login };
  login.password = 'another one';
  const { message } = await errorOf(openSession(address));
  Object.assign(login, wrong);
  const check = camera.login;
  if (check) check.wrong = 0;
  expectSecret(message);
}

test('a login arrives as it was typed, or is refused with how to write it, and nobody reads its password', async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(user, password, async (name, secret) => {
      // A % and two hexadecimal digits encode a character.
      fc.pre(!/%[\da-f]{2}/i.test(name + secret) && !name.includes(':'));
      const address = typed(name, secret);
      const { status, body } = await put(address);
      if (status === 400) {
        expect(JSON.parse(body)).toMatchObject({ pointer: '/sourcertsp/mainStream' });
        expect(body).toMatch(/write @ as %40/);
        return;
      }
      accepted += 1;
      Object.assign(login, { user: name, password: secret });
      await goThrough(address);
    }),
    { numRuns: 60 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test('a login that is written with escapes always arrives, and nobody reads its password', async () => {
  await fc.assert(
    fc.asyncProperty(user, password, async (name, secret) => {
      Object.assign(login, { user: name, password: secret });
      const address = escaped(name, secret);
      expect((await put(address)).status).toBeLessThan(300);
      await goThrough(address);
      await expectRefused(address);
    }),
    { numRuns: 60 },
  );
  const places = ['/api/log/query?limit=10000', '/api/metrics', '/api/openapi.json'];
  for (const path of places) expectSecret(await (await door.fetch(path)).text());
  expectSecret(door.logged.map(({ msg }) => msg).join('\n'));
});

test('a real camera accepts every login by Digest, and none that differs in one letter', async () => {
  const logins = fc.sample(fc.tuple(user, password), 25).map(([name, secret], index) => {
    return { user: `${name}${index}`, password: secret };
  });
  const real = await startCamera({
    mounts: { main: testMounts.h264() },
    ...{ user: 'guard', password: 'right', method: 'digest' },
    others: logins.map((one) => [one.user, one.password] as const),
  });
  // A camera that nobody watches takes a while to be ready again.
  await view(real.url('main'));
  for (const one of logins) {
    const session = await openSession(real.url('main', one.user, one.password));
    expect(session.tracks).toHaveLength(1);
    await session.close();
    const { code } = await errorOf(openSession(real.url('main', one.user, `${one.password}x`)));
    expect(code).toBe('unauthorized');
  }
});

test('a text of a pipeline holds no part of a password, however and wherever its address stands in it', () => {
  fc.assert(
    fc.property(user, password, fc.boolean(), (name, secret, isTyped) => {
      const main = isTyped ? typed(name, secret) : escaped(name, secret);
      try {
        parseRtspAddress(main);
      } catch {
        // It is never stored.
        return;
      }
      const redact = redactor({ kind: 'rtsp', protocol: 'tcp', main });
      const [userPart = ''] = /^rtsp:\/\/(.*)@127\.0\.0\.1/s.exec(main) ?? [];
      for (const text of [
        main,
        `cannot open "${main}": refused`,
        `at ${userPart}@door`,
        `${main} and ${main}`,
      ]) {
        expectSecret(redact(text));
      }
    }),
    { numRuns: 1000 },
  );
});
