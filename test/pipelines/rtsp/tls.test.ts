import { generate } from 'selfsigned';
import { beforeAll, describe, expect, test } from 'vitest';
import { FakeCamera } from '../../support/fake-camera.ts';
import { writeRtp } from '../../support/rtp-writer.ts';
import { errorOf, openSession, view } from '../../support/rtsp-viewer.ts';

let tls: { key: string; cert: string };
beforeAll(async () => {
  const pair = await generate([{ name: 'commonName', value: 'camera' }]);
  tls = { key: pair.private, cert: pair.cert };
});

describe('over TLS', () => {
  test('a camera that signs its own certificate plays, with a login', async () => {
    const camera = await FakeCamera.start({
      tls,
      login: { user: 'u', password: 'p', challenges: ['Basic realm="r"'] },
      play: (connection) =>
        connection.send({
          channel: 0,
          data: writeRtp({ sequence: 1, timestamp: 1, payload: Buffer.alloc(9) }),
        }),
    });
    const viewer = await view(camera.url('u:p@'));
    await viewer.received(1);
    expect(viewer.results).toMatchObject([{ transport: 'tcp' }]);
  });

  test('a redirect to the same host keeps the password, unless it gives up TLS', async () => {
    const login = { user: 'u', password: 'p', challenges: ['Basic realm="r"'] };
    const plain = await FakeCamera.start({ login });
    const secure = await FakeCamera.start({ tls, login });
    const camera = async (to: FakeCamera) =>
      FakeCamera.start({
        tls,
        answer: (_, { headers }) => [{ status: 302, headers: [...headers, ['Location', to.url()]] }],
      });
    await openSession((await camera(secure)).url('u:p@'));
    expect(secure.login?.wrong).toBe(0);
    const error = await errorOf(openSession((await camera(plain)).url('u:p@')));
    expect(error.message).toBe('the camera asks for a user name and a password');
    expect(plain.requests.filter(({ headers }) => headers['authorization'])).toEqual([]);
  });
});
