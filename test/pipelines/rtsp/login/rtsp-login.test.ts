import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeCamera } from '../../../support/fake-camera.ts';
import type { FakeLogin } from '../../../support/fake-login.ts';
import { writeRtp } from '../../../support/rtp-writer.ts';
import { errorOf, openSession, view } from '../../../support/rtsp-viewer.ts';

const basic = 'Basic realm="camera"';
const md5 = 'Digest realm="camera", nonce=NONCE, algorithm=MD5';
const plainMD5 = 'Digest realm="camera",nonce=NONCE';
const md5Qop = 'Digest realm="camera", nonce=NONCE, algorithm=MD5, qop="auth,auth-int", opaque="5c"';
const sha = 'Digest realm="camera", nonce=NONCE, algorithm=SHA-256, qop="auth"';
const shaPlain = 'Digest qop=auth, ALGORITHM=sha-256, NONCE=NONCE, realm=camera'.replace(
  'NONCE=NONCE',
  'nonce=NONCE',
);
const sha512 = 'Digest realm="camera", nonce=NONCE, algorithm=SHA-512-256, qop="auth"';
const shaSession = 'Digest realm="camera", nonce=NONCE, algorithm=SHA-256-sess, qop=auth';
const md5Session = 'Digest realm="camera", nonce=NONCE, algorithm=MD5-sess';
const authInt = 'Digest realm="camera", nonce=NONCE, qop="auth-int"';

const start = (challenges: readonly string[], more: Partial<FakeLogin> = {}) =>
  FakeCamera.start({ login: { user: 'admin', password: 'secret', challenges, ...more } });
const used = (camera: FakeCamera) => camera.requests.at(-1)?.headers['authorization'] ?? '';

describe('a camera is logged in to', () => {
  test.each([
    ['Basic', [basic], /^Basic /],
    ['Digest without a word about the algorithm', [plainMD5], /^Digest (?!.*algorithm)/],
    ['Digest MD5', [md5], /algorithm=MD5$/],
    ['Digest MD5 with qop', [md5Qop], /algorithm=MD5, opaque="5c", qop=auth, nc=00000001/],
    ['Digest SHA-256', [sha], /algorithm=SHA-256,/],
    ['Digest in other letters and another order', [shaPlain], /algorithm=sha-256,/],
    ['Digest SHA-256-sess', [shaSession], /algorithm=SHA-256-sess,/],
    ['Digest MD5-sess', [md5Session], /algorithm=MD5-sess,/],
    ['the strongest of several', [basic, md5, sha, md5Qop], /algorithm=SHA-256,/],
    ['the strongest, which comes first', [sha, md5, basic], /algorithm=SHA-256,/],
    [
      'the strongest of several in one line',
      [`${basic}, ${md5Qop}, ${shaSession}, ${sha}`],
      /algorithm=SHA-256,/,
    ],
    [
      'the strongest that is known',
      [sha512, md5, 'NTLM', 'Negotiate abc==, Bearer realm="x"'],
      /algorithm=MD5$/,
    ],
    ['Basic beside what is not known', [`${sha512}, NTLM TlRM==, ${basic}`], /^Basic /],
  ])('by %s', async (_, challenges, authorization) => {
    const camera = await start(challenges);
    await openSession(camera.url('admin:secret@'));
    expect(used(camera)).toMatch(authorization);
    expect(camera.login?.wrong).toBe(0);
    expect(camera.methods()).toEqual(['DESCRIBE', 'DESCRIBE']);
  });

  test.each([
    ['Digest SHA-512-256', [sha512]],
    ['Digest with qop=auth-int', [authInt]],
    ['NTLM, NEGOTIATE', ['NTLM', 'Negotiate']],
  ])('not by %s, which is named', async (name, challenges) => {
    const camera = await start(challenges);
    expect(await errorOf(openSession(camera.url('admin:secret@')))).toMatchObject({
      code: 'unauthorized',
      message: `the camera offers only logins that are not supported: ${name}`,
    });
    expect(camera.methods()).toEqual(['DESCRIBE']);
  });

  test.each([[[basic]], [[md5]], [[sha, md5Qop, basic]]])(
    'once only with a wrong password: %j',
    async (challenges) => {
      const camera = await start(challenges);
      expect(await errorOf(openSession(camera.url('admin:other@')))).toMatchObject({
        code: 'unauthorized',
        message: 'wrong user name or password',
        status: 401,
      });
      expect(camera.login?.wrong).toBe(1);
    },
  );

  test('twice at most, whatever it says about a stale nonce', async () => {
    const camera = await FakeCamera.start({
      answer: (_, { headers }) => [
        {
          status: 401,
          headers: [...headers, ['WWW-Authenticate', 'Digest realm="r", nonce="n", stale=true']],
        },
      ],
    });
    expect(await errorOf(openSession(camera.url('admin:secret@')))).toMatchObject({ code: 'unauthorized' });
    expect(camera.requests.filter(({ headers }) => headers['authorization'])).toHaveLength(2);
  });

  test('not at all without a user name, nor without a challenge', async () => {
    const camera = await start([md5]);
    expect(await errorOf(openSession(camera.url()))).toMatchObject({ code: 'unauthorized' });
    const mute = await start([]);
    expect((await errorOf(openSession(mute.url('admin:secret@')))).message).toContain(
      'does not say for which kind',
    );
    expect([camera.methods(), mute.methods()]).toEqual([['DESCRIBE'], ['DESCRIBE']]);
  });
});

test.each([
  ['with stale=true', true],
  ['without a word', false],
])('a nonce that changes in mid-session %s costs no packet', async (_, saysStale) => {
  const count = 150;
  const camera = await FakeCamera.start({
    session: 'abc;timeout=1',
    login: { user: 'admin', password: 'secret', challenges: [sha], nonceUses: 2, saysStale },
    play: async (connection) => {
      for (let sequence = 0; sequence < count; sequence++) {
        const data = writeRtp({ sequence, timestamp: sequence * 3000, payload: Buffer.alloc(500) });
        await connection.send({ channel: 0, data });
        await pause(20);
      }
    },
  });
  const viewer = await view(camera.url('admin:secret@'));
  await viewer.received(count);
  expect(viewer.packets[0]?.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: count }, (_, i) => i),
  );
  expect(viewer.ends).toEqual([]);
  const keepAlives = camera.methods().filter((method) => method === 'GET_PARAMETER');
  expect(keepAlives.length).toBeGreaterThan(5);
  expect(camera.login?.wrong).toBe(0);
});

describe('every printable user and password', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 16 })
    .filter((all) => !/\p{Cc}/u.test(all));
  const name = text.filter((user) => !user.includes(':'));
  const ways = [[basic], [md5], [plainMD5], [md5Qop], [shaSession], [sha, basic]];

  /** All that is said and sent while a camera is logged in to, and while another password is refused. */
  async function transcript(user: string, password: string, challenges: readonly string[]): Promise<string> {
    const camera = await start(challenges, { user, password });
    const { port } = camera;
    const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    const said: string[] = [];
    const session = await openSession(camera.url(`${credentials}@`), {}, (sentence) => said.push(sentence));
    await session.setup(session.tracks);
    await session.close();
    expect(camera.login?.wrong).toBe(0);
    const { message, code, stack = '' } = await errorOf(openSession(camera.url(`${credentials}x@`)));
    expect(camera.login?.wrong).toBe(1);
    said.push(message, code, stack.split('\n')[0] ?? '');
    await camera.stop();
    const sent = camera.requests.map((request) =>
      request.text
        .replace(/Basic .*/, 'Basic …')
        .replace(/username="(?:[^"\\]|\\.)*"/, 'username=…')
        .replace(/(?<=(response|cnonce)=")[0-9a-f]+/g, '…'),
    );
    return [...said, ...sent].join('\n').replaceAll(`:${port}/`, ':PORT/');
  }

  test('is accepted by the camera that has it, and nothing that is said or sent depends on the password', async () => {
    await fc.assert(
      fc.asyncProperty(name, text, fc.constantFrom(...ways), async (user, password, challenges) => {
        expect(await transcript(user, password, challenges)).toBe(await transcript('a', 'b', challenges));
      }),
      { numRuns: 100 },
    );
  });
});
