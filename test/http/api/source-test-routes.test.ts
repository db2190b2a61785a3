import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import jpeg from 'jpeg-js';
import { beforeAll, describe, expect, test } from 'vitest';
import type { SourceTest } from '../../../http/request/source-test-answer.ts';
import { type Camera, startCamera, testMounts } from '../../support/camera.ts';
import { atEnd } from '../../support/cleanup.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { rtspMonitor } from '../../support/monitors.ts';
import { freePort } from '../../support/ports.ts';

const path = '/api/monitor/test';
const secret = 'Zebra-Crossing-77';
const bFrames = {
  launch:
    'videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=20/1 ! x264enc bframes=2 b-adapt=false speed-preset=ultrafast threads=1 key-int-max=20 rc-lookahead=0 ! video/x-h264,profile=main ! rtph264pay name=pay0 config-interval=-1',
};

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const rtsp = (mainStream: string, subStream?: string) => ({
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream, ...(subStream && { subStream }) },
});

async function tried(body: object): Promise<SourceTest> {
  const response = await door.change('POST', path, body);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(text).not.toContain(secret);
  return JSON.parse(text) as SourceTest;
}

const withLogin = (): Promise<Camera> =>
  startCamera({
    mounts: { main: testMounts.withAudio, sub: bFrames, mjpeg: testMounts.mjpeg },
    user: 'viewer',
    password: secret,
  });

/** A server that accepts connections and never says a word. */
async function startMute() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  atEnd(async () => stop());
  const { port } = server.address() as AddressInfo;
  return { url: `rtsp://viewer:${secret}@127.0.0.1:${port}/main`, stop };
}

describe('a source that works', () => {
  test('is answered with what both streams offer, and their pictures', async () => {
    const camera = await withLogin();
    const found = await tried(rtsp(camera.url('main'), camera.url('sub')));
    expect(found).toMatchObject({
      ok: true,
      main: {
        tracks: [
          { kind: 'video', codec: 'H264', clockRate: 90_000, channels: null },
          { kind: 'audio', codec: 'AAC', clockRate: 16_000, channels: 1 },
        ],
        video: { codec: 'h264', width: 320, height: 240, bFrames: false },
        audio: 'AAC',
      },
      sub: { video: { codec: 'h264', width: 640, height: 360, bFrames: true }, audio: null },
    });
    expect(found.main?.video.frameRate).toBeCloseTo(10, 0);
    expect(found.main?.video.keyFrameDistance).toBeCloseTo(1, 1);
    expect(found.sub?.video.frameRate).toBeCloseTo(20, -1);
    for (const [offer, width, height] of [[found.main, 320, 240] as const, [found.sub, 640, 360] as const]) {
      const picture = jpeg.decode(Buffer.from(offer?.picture ?? '', 'base64'));
      expect([picture.width, picture.height]).toEqual([width, height]);
      // The ball on black.
      expect(picture.data.some((value, index) => index % 4 === 0 && value > 150)).toBe(true);
    }
  });

  test('may be the test picture', async () => {
    const found = await tried({ source: 'test', sourcetest: {} });
    expect(found).toMatchObject({ ok: true, main: { tracks: [], video: { width: 640, height: 360 } } });
  });

  test('takes the stored password where asterisks are sent with the id of the monitor', async () => {
    const camera = await withLogin();
    await door.monitors.put(rtspMonitor('stored', [camera.url('main')]));
    const masked = camera.url('main', 'viewer', '********').replaceAll('%2A', '*');
    expect(await tried({ id: 'stored', ...rtsp(masked) })).toMatchObject({ ok: true });

    const elsewhere = masked.replace(String(camera.port), String(await freePort()));
    for (const body of [rtsp(masked), { id: 'stored', ...rtsp(elsewhere) }]) {
      const response = await door.change('POST', path, body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ pointer: '/sourcertsp/mainStream' });
    }
  });
});

describe('a source that does not work', () => {
  test('with a wrong password is tried once', async () => {
    const camera = await withLogin();
    const wrong = (mount: string) => camera.url(mount, 'viewer', `not ${secret}`);
    const found = await tried(rtsp(wrong('main'), wrong('sub')));
    expect(found).toEqual({ ok: false, reason: 'unauthorized', detail: 'wrong user name or password' });
    expect(camera.logins()).toBe(1);
  });

  test('says so of a port that nobody listens on', async () => {
    const url = `rtsp://viewer:${secret}@127.0.0.1:${await freePort()}/main`;
    const found = await tried(rtsp(url));
    expect(found).toMatchObject({ ok: false, reason: 'unreachable' });
    expect(found.detail).toMatch(/refuse/);
  });

  test('is answered within 15 seconds when the camera says nothing', async () => {
    const mute = await startMute();
    const began = performance.now();
    const found = await tried(rtsp(mute.url));
    expect(found).toMatchObject({ ok: false, reason: 'unreachable' });
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test('says which video there is instead, and keeps what the main stream offers', async () => {
    const camera = await withLogin();
    const found = await tried(rtsp(camera.url('main'), camera.url('mjpeg')));
    expect(found).toMatchObject({ ok: false, reason: 'no_video', main: { audio: 'AAC' } });
    expect(found.detail).toBe('sub stream: the camera offers JPEG video, neither H.264 nor H.265');
  });

  test('may be a file that is not there', async () => {
    const found = await tried({ source: 'file', sourcefile: { path: 'none.mp4', loop: false } });
    expect(found).toMatchObject({ ok: false, reason: 'not_found' });
  });
});

test('one test runs at a time, and others are asked to come later', async () => {
  const mute = await startMute();
  const ask = () => door.change('POST', path, rtsp(mute.url));
  const asked = Array.from({ length: 3 }, ask);
  const first = await Promise.race(asked);
  expect(first.status).toBe(503);
  expect(first.headers.get('retry-after')).toBe('15');
  mute.stop();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.sort()).toEqual([200, 503, 503]);
});

test('a test is for admins, and a body that is no source is refused', async () => {
  expect((await door.change('POST', path, rtsp('rtsp://127.0.0.1/main'), user)).status).toBe(403);
  const response = await door.change('POST', path, rtsp('http://127.0.0.1/main'));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ pointer: '/sourcertsp/mainStream' });
});

test('the log says who tested and how it went, without the password', () => {
  const texts = door.logged.map(({ msg }) => msg);
  expect(texts).toContain("a source was tested by 'admin' and works");
  expect(texts).toContain("a source was tested by 'admin' and does not work: wrong user name or password");
  expect(texts.join('\n')).not.toContain(secret);
});
