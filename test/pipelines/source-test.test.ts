import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runSourceTest } from '../../pipelines/source-test/run-source-test.ts';
import type { SourceTestReport } from '../../pipelines/source-test/source-test-protocol.ts';
import { FakeCamera, type FakeCameraOptions } from '../support/fake-camera.ts';
import { temporaryFolder } from '../support/folder.ts';
import { videoPackets } from '../support/rtp.ts';

// One look at all plug-ins for all tests, instead of one for each folder.
process.env['GST_REGISTRY'] ??= join(homedir(), '.cache', 'sentrybus', 'gstreamer-registry.bin');

const login = {
  ...{ user: 'viewer', password: 'right' },
  challenges: ['Digest realm="camera", nonce=NONCE, qop="auth", algorithm=SHA-256'],
};

/** A camera with video on both its paths, over TCP. */
async function startVideo(options: FakeCameraOptions = {}): Promise<FakeCamera> {
  const packets = await videoPackets('h264', { frames: 30 });
  return FakeCamera.start({
    login,
    play: (connection) => {
      const [channel = 0] = connection.channels.at(-1) ?? [];
      return connection.send(...packets.map((data) => ({ channel, data })));
    },
    ...options,
  });
}

async function tryBoth(camera: FakeCamera, password: string): Promise<SourceTestReport> {
  const [main, sub] = [camera.url(`viewer:${password}@`, '/main'), camera.url(`viewer:${password}@`, '/sub')];
  const { signal } = new AbortController();
  return runSourceTest(
    { kind: 'rtsp', protocol: 'tcp', main, sub },
    { storageDir: await temporaryFolder(), signal },
  );
}

/** What a camera that locks out after wrong passwords may have counted. */
function counted({ requests, login: check }: FakeCamera) {
  const withLogin = requests.filter(({ headers }) => headers['authorization'] !== undefined);
  const connections = requests.filter(({ headers }) => headers['cseq'] === '1').length;
  return {
    connections,
    refused: requests.length - withLogin.length + (check?.wrong ?? 0),
    wrong: check?.wrong,
  };
}

describe.concurrent('a test of a source', () => {
  test('logs in once for both its streams, over one connection', async () => {
    const camera = await startVideo();
    const report = await tryBoth(camera, 'right');
    expect(report).toMatchObject({
      ok: true,
      main: { video: { width: 320 } },
      sub: { video: { width: 320 } },
    });
    expect(counted(camera)).toEqual({ connections: 1, refused: 1, wrong: 0 });
    expect(camera.methods().filter((method) => method === 'TEARDOWN')).toHaveLength(2);
  });

  test('logs in once more where the camera closes the connection in between', async () => {
    const camera = await startVideo({
      answer: ({ method }, usual, connection) => {
        if (method !== 'TEARDOWN') return [usual];
        void connection.send(usual).then(() => connection.socket.end());
        return [];
      },
    });
    expect(await tryBoth(camera, 'right')).toMatchObject({ ok: true });
    expect(counted(camera)).toEqual({ connections: 2, refused: 2, wrong: 0 });
  });

  test('logs in once more where the camera closes the connection when the next stream has begun', async () => {
    const over = new Set<unknown>();
    const camera = await startVideo({
      answer: ({ method }, usual, { socket }) => {
        if (method === 'SETUP' && over.has(socket)) socket.destroy();
        if (method === 'TEARDOWN') over.add(socket);
        return [usual];
      },
    });
    expect(await tryBoth(camera, 'right')).toMatchObject({ ok: true });
    expect(counted(camera)).toEqual({ connections: 2, refused: 2, wrong: 0 });
  });

  test('with a wrong password logs in once', async () => {
    const camera = await startVideo();
    expect(await tryBoth(camera, 'wrong')).toEqual({
      ...{ ok: false, reason: 'unauthorized', detail: 'wrong user name or password' },
    });
    expect(counted(camera)).toEqual({ connections: 1, refused: 2, wrong: 1 });
    expect(camera.requests.filter(({ headers }) => headers['authorization'])).toHaveLength(1);
  });

  test('does not take its login to another user or port', async () => {
    const [camera, other] = [
      await startVideo(),
      await startVideo({ login: { ...login, password: 'other' } }),
    ];
    const report = await runSourceTest(
      { kind: 'rtsp', protocol: 'tcp', main: camera.url('viewer:right@'), sub: other.url('viewer:other@') },
      { storageDir: await temporaryFolder(), signal: new AbortController().signal },
    );
    expect(report).toMatchObject({ ok: true });
    for (const each of [camera, other]) {
      expect(counted(each)).toEqual({ connections: 1, refused: 1, wrong: 0 });
    }
  });
});
