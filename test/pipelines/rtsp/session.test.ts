import { describe, expect, test, vi } from 'vitest';
import type { RtspError } from '../../../pipelines/rtsp/protocol/rtsp-error.ts';
import { Reception } from '../../../pipelines/rtsp/rtp/reception.ts';
import { atEnd } from '../../support/cleanup.ts';
import {
  encode,
  FakeCamera,
  type FakeConnection,
  sendDatagrams,
  videoAndAudio,
  withHeader,
} from '../../support/fake-camera.ts';
import { packet, video } from '../../support/fake-video.ts';
import { writeRtp } from '../../support/rtp-writer.ts';
import { openSession, view } from '../../support/rtsp-viewer.ts';
import { waitFor } from '../../support/wait.ts';

/** What the client does about cameras that do things another way, from PLAY to TEARDOWN. */

describe('a session', () => {
  test.each(['tcp', 'udp'] as const)(
    'is kept alive over %s by GET_PARAMETER, well within its timeout',
    async (transport) => {
      const times: number[] = [];
      const camera = await FakeCamera.start({
        session: 'a$b ; timeout=1',
        answer: ({ method, headers }, usual) => {
          if (method === 'GET_PARAMETER' && headers['session'] === 'a$b') times.push(performance.now());
          return [usual];
        },
      });
      await view(camera.url(), { transport });
      await waitFor(() => times.length > 3, 5000, 'keep-alives');
      for (const [index, time] of times.entries())
        expect(time - (times[index - 1] ?? time)).toBeLessThan(800);
    },
  );

  test('is kept alive by OPTIONS where the camera knows nothing else, or refuses the other', async () => {
    const plain = await FakeCamera.start({
      session: 'a;timeout=1',
      answer: ({ method }, usual) => [method === 'OPTIONS' ? withHeader(usual, 'Public', undefined) : usual],
    });
    const refusing = await FakeCamera.start({
      session: 'a;timeout=1',
      answer: ({ method }, usual) => [method === 'GET_PARAMETER' ? { ...usual, status: 400 } : usual],
    });
    const [, viewer] = await Promise.all([view(plain.url()), view(refusing.url())]);
    const count = (camera: FakeCamera) => camera.methods().filter((method) => method === 'OPTIONS').length;
    await waitFor(() => count(plain) > 3 && count(refusing) > 3, 10_000, 'keep-alives');
    expect(plain.methods()).not.toContain('GET_PARAMETER');
    expect(refusing.methods().filter((method) => method === 'GET_PARAMETER')).toHaveLength(1);
    expect(viewer.logged).toEqual(['the camera refuses GET_PARAMETER as a keep-alive: RTSP status 400']);
  });

  test('goes on when a keep-alive is not answered or its login is refused, which is tried no more than twice', async () => {
    let logins = 0;
    const camera = await FakeCamera.start({
      session: 'a;timeout=1',
      login: { user: 'u', password: 'p', challenges: ['Digest realm="camera", nonce=NONCE'] },
      answer: ({ method }, usual) => {
        if (method !== 'OPTIONS' && method !== 'GET_PARAMETER') return [usual];
        logins++;
        return [{ status: 401, headers: [...usual.headers, ['WWW-Authenticate', 'Basic realm="r"']] }];
      },
      play: async (connection) => {
        for (let sequence = 0; sequence < 60; sequence++) {
          await connection.send({ channel: 0, data: packet(sequence) });
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
    });
    const viewer = await view(camera.url('u:p@'));
    await viewer.received(60);
    expect(logins).toBeLessThanOrEqual(4);
  });

  test('is read in few rounds while nobody waits for what comes, and loses nothing of it', async () => {
    const apart = 40;
    const large = 2000;
    const camera = await FakeCamera.start({
      play: async (connection) => {
        for (let sequence = 0; sequence < apart; sequence++) {
          await connection.send({ channel: 0, data: packet(sequence) });
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        // More than one read takes, and more than the system holds at first.
        for (let sequence = apart; sequence < apart + large; sequence++) {
          const payload = Buffer.alloc(1400, sequence);
          void connection.send({ channel: 0, data: writeRtp({ sequence, timestamp: 0, payload }) });
        }
      },
    });
    const { session, received, packets } = await view(camera.url());
    session.setPrompt(false);
    await received(apart + large);
    const all = packets[0] ?? [];
    expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: apart + large }, (_, n) => n));
    for (const { data, sequence } of all.slice(apart)) expect(data.at(-1)).toBe(sequence & 0xff);
    const rounds = new Set(all.slice(0, apart).map(({ arrivedMs }) => arrivedMs));
    expect(rounds.size).toBeLessThan(apart / 2);
  });

  test('leaves what comes unread for as long as nobody waits for it', async () => {
    let connection: FakeConnection | undefined;
    const camera = await FakeCamera.start({
      play: async (opened) => {
        connection = opened;
        await opened.send(...video(1));
      },
    });
    const { session, received, packets } = await view(camera.url());
    await received(1);
    session.rest(400);
    // With the first of these the rest begins; the others are read together.
    for (let sequence = 1; sequence < 10; sequence++) {
      await connection?.send({ channel: 0, data: packet(sequence) });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await received(10);
    const [, , ...rest] = packets[0] ?? [];
    expect(new Set(rest.map(({ arrivedMs }) => arrivedMs)).size).toBeLessThan(3);
  });

  test.each(['tcp', 'udp'] as const)(
    'ends alone when something fails over its packets (%s)',
    async (transport) => {
      const camera = await FakeCamera.start({
        play: async (connection) => {
          const [ports] = connection.clientPorts;
          if (ports) await sendDatagrams(ports[0], [packet(0), packet(1)]);
          else await connection.send(...video(2));
        },
      });
      const session = await openSession(camera.url(), { transport });
      await session.setup(session.tracks);
      const end = new Promise<RtspError | undefined>((resolve) => {
        const onPacket = () => {
          throw new RangeError('too far');
        };
        session.play({ onPacket, onEnd: resolve }).catch(resolve);
      });
      expect(await end).toMatchObject({
        ...{ code: 'broken', message: 'nothing can be made of what the camera sends: too far' },
      });
    },
  );

  test('goes on after this process stood still, where the camera did not', async () => {
    const silenceMs = 500;
    let connection: FakeConnection | undefined;
    const camera = await FakeCamera.start({
      play: async (opened) => {
        connection = opened;
        await opened.send(...video(1));
      },
    });
    const viewer = await view(camera.url(), { timeouts: { silenceMs } });
    await viewer.received(1);
    await new Promise<void>((resolve) => {
      // After these callbacks come those of the timers, and only then the sockets.
      setImmediate(() => {
        connection?.socket.write(encode({ channel: 0, data: packet(1) }));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * silenceMs);
        resolve();
      });
    });
    await viewer.received(2);
    expect(await viewer.ended).toMatchObject({ code: 'silent' });
  });

  test('ends alone when its report on the reception fails', async () => {
    const report = vi.spyOn(Reception.prototype, 'report').mockImplementation(() => {
      throw new RangeError('too large');
    });
    atEnd(async () => void report.mockRestore());
    const camera = await FakeCamera.start({ play: (connection) => connection.send(...video(1)) });
    const viewer = await view(camera.url(), { timeouts: { silenceMs: 20_000 } });
    expect(await viewer.ended).toMatchObject({
      ...{ code: 'broken', message: 'nothing can be made of what the camera sends: too large' },
    });
  });

  test('answers what the camera asks', async () => {
    const answers: string[] = [];
    const camera = await FakeCamera.start({
      play: async (connection) => {
        connection.socket.on('data', (data) => answers.push(data.toString()));
        await connection.send(
          Buffer.from('OPTIONS * RTSP/1.0\r\nCSeq: 900\r\n\r\n'),
          Buffer.from('ANNOUNCE x RTSP/1.0\r\nCSeq: 901\r\nContent-Length: 3\r\n\r\nv=0'),
          Buffer.from('PAUSE x RTSP/1.0\r\nCSeq: 902\r\n\r\n'),
          ...video(3),
        );
      },
    });
    const viewer = await view(camera.url());
    await viewer.received(3);
    const heads = () =>
      [...answers.join('').matchAll(/RTSP\/1.0 (\d+) .*\r\nCSeq: (9\d+)/g)].map(([, ...all]) => all);
    await waitFor(() => heads().length === 3, 5000, 'answers');
    expect(heads()).toEqual([
      ['200', '900'],
      ['200', '901'],
      ['501', '902'],
    ]);
  });

  test('plays track by track where the camera does not allow all at once', async () => {
    const camera = await FakeCamera.start({
      sdp: videoAndAudio,
      answer: ({ method, url }, usual) =>
        method === 'PLAY' && !url.includes('trackID') ? [{ ...usual, status: 459 }] : [usual],
      play: (connection) => connection.send(...video(2)),
    });
    const viewer = await view(camera.url());
    await viewer.received(2);
    expect(camera.methods().filter((method) => method === 'PLAY')).toHaveLength(3);
  });

  test('is ended with a TEARDOWN, and within a second where the camera does not answer it', async () => {
    const camera = await FakeCamera.start({
      answer: ({ method }, usual) => (method === 'TEARDOWN' ? [] : [usual]),
    });
    const viewer = await view(camera.url());
    const began = performance.now();
    await viewer.session.close();
    await viewer.session.close();
    expect(performance.now() - began).toBeLessThan(3000);
    expect(camera.methods().filter((method) => method === 'TEARDOWN')).toHaveLength(1);
    expect(viewer.ends).toEqual([undefined]);
    await waitFor(() => camera.connections === 0, 5000, 'the end of the connection');
  });

  test('is over at once when its signal aborts', async () => {
    const camera = await FakeCamera.start({ play: (connection) => connection.send(...video(1)) });
    const controller = new AbortController();
    const viewer = await view(camera.url(), { signal: controller.signal });
    await viewer.received(1);
    controller.abort();
    expect(await viewer.ended).toBeUndefined();
    await waitFor(() => camera.connections === 0, 5000, 'the end of the connection');
    expect(camera.methods()).not.toContain('TEARDOWN');
  });

  test.each(['DESCRIBE', 'SETUP', 'PLAY'])(
    'that is aborted while it waits for %s fails with the reason',
    async (name) => {
      const reason = new Error('enough');
      const controller = new AbortController();
      const camera = await FakeCamera.start({
        answer: ({ method }, usual) => {
          if (method !== name) return [usual];
          controller.abort(reason);
          return [];
        },
      });
      await expect(view(camera.url(), { signal: controller.signal })).rejects.toBe(reason);
      await expect(view(camera.url(), { signal: controller.signal })).rejects.toBe(reason);
      await waitFor(() => camera.connections === 0, 5000, 'the end of the connection');
    },
  );
});
