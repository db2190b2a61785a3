import { describe, expect, test } from 'vitest';
import {
  type FakeAnswer,
  FakeCamera,
  type FakeItem,
  oneVideo,
  videoAndAudio,
} from '../../support/fake-camera.ts';
import { writeRtp, writeSenderReport } from '../../support/rtp-writer.ts';
import { errorOf, openSession, view } from '../../support/rtsp-viewer.ts';
import { waitFor } from '../../support/wait.ts';

/** What the client does about cameras that do things another way. */

const packet = (sequence: number, payloadType = 96) =>
  writeRtp({ sequence, timestamp: sequence * 3000, payload: Buffer.from([sequence]), payloadType });
const video = (count: number): FakeItem[] =>
  Array.from({ length: count }, (_, sequence) => ({ channel: 0, data: packet(sequence) }));
const withHeader = (answer: FakeAnswer, name: string, value: string | undefined): FakeAnswer => {
  const others = answer.headers.filter(([one]) => one.toLowerCase() !== name.toLowerCase());
  return { ...answer, headers: value === undefined ? others : [...others, [name, value]] };
};

describe('a track', () => {
  test('that is refused is reported, and the others play', async () => {
    const camera = await FakeCamera.start({
      sdp: videoAndAudio,
      answer: ({ method, url }, usual) =>
        method === 'SETUP' && url.endsWith('trackID=1') ? [{ ...usual, status: 500 }] : [usual],
      play: (connection) => connection.send(...video(5)),
    });
    const viewer = await view(camera.url());
    expect(viewer.results).toMatchObject([
      { track: { media: 'video' }, transport: 'tcp' },
      { track: { media: 'audio' }, error: { code: 'unreachable', status: 500 } },
    ]);
    await viewer.received(5);
    expect(camera.methods().slice(0, 4)).toEqual(['DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
  });

  test('whose SETUP is not answered is reported, and the others play', async () => {
    const camera = await FakeCamera.start({
      sdp: videoAndAudio,
      answer: ({ method, url }, usual) => (method === 'SETUP' && url.endsWith('trackID=1') ? [] : [usual]),
      play: (connection) => connection.send(...video(5)),
    });
    const viewer = await view(camera.url(), { timeouts: { answerMs: 300 } });
    expect(viewer.results[1]?.error?.message).toBe('the camera did not answer SETUP within 0.3 s');
    await viewer.received(5);
  });

  test('is known by its payload type where the camera mixes up the channels', async () => {
    const camera = await FakeCamera.start({
      sdp: videoAndAudio,
      play: (connection) =>
        connection.send(
          { channel: 1, data: packet(0) },
          { channel: 0, data: writeSenderReport(1_700_000_000_000, 0) },
          { channel: 2, data: packet(1) },
          { channel: 0, data: packet(0, 8) },
          { channel: 9, data: packet(1, 8) },
          { channel: 0, data: packet(2) },
        ),
    });
    const viewer = await view(camera.url());
    await viewer.received(5);
    expect(viewer.packets.map((list) => list.map(({ sequence }) => sequence))).toEqual([
      [0, 1, 2],
      [0, 1],
    ]);
    expect(viewer.reports).toMatchObject([[{ wallClockUs: 1_700_000_000_000_000 }], []]);
  });

  test.each([
    ['RTP/AVP/TCP;unicast;interleaved=6-7', 6],
    ['RTP/AVP/TCP;interleaved=7-6', 7],
    ['RTP/AVP/TCP;unicast;interleaved=8', 8],
    ['RTP/AVP/TCP;unicast;interleaved=300-301', 0],
    [undefined, 0],
  ])('comes on the channels that the camera answers: %s', async (transport, channel) => {
    const camera = await FakeCamera.start({
      answer: ({ method }, usual) => [method === 'SETUP' ? withHeader(usual, 'Transport', transport) : usual],
      // Noise, after which only a channel in use is a packet.
      play: (connection) => connection.send(Buffer.from([1, 2, 3]), { channel, data: packet(1) }),
    });
    const viewer = await view(camera.url());
    await viewer.received(1);
  });
});

describe('RTP', () => {
  test('is read with extensions, contributing sources and padding, and what is none is counted', async () => {
    const payload = Buffer.from('payload');
    const plain = { timestamp: 1, payload };
    const camera = await FakeCamera.start({
      play: (connection) =>
        connection.send(
          ...[
            writeRtp({
              ...plain,
              sequence: 1,
              extension: [1, 2, 3],
              csrcs: [4, 5],
              padding: 8,
              marker: true,
            }),
            writeRtp({ ...plain, sequence: 2, padding: 1 }),
            writeRtp({ ...plain, sequence: 3, payload: Buffer.alloc(0) }),
            // Padding that is longer than the packet, an extension that is, and another track's payload type.
            Buffer.concat([
              writeRtp({ ...plain, sequence: 4, padding: 1 }).subarray(0, -1),
              Buffer.from([200]),
            ]),
            writeRtp({ ...plain, sequence: 4, extension: [1, 2, 3] }).subarray(0, 20),
            writeRtp({ ...plain, sequence: 4, payloadType: 0 }),
            writeRtp({ ...plain, sequence: 4, payloadType: 98 }),
          ].map((data) => ({ channel: 0, data })),
        ),
    });
    const viewer = await view(camera.url());
    await viewer.received(4);
    const payloads = viewer.packets[0]?.map(({ data, payloadBegin, payloadEnd, marker }) => [
      data.toString('latin1', payloadBegin, payloadEnd),
      marker,
    ]);
    expect(payloads).toEqual([
      ['payload', true],
      ['payload', false],
      ['', false],
      ['payload', false],
    ]);
    expect(viewer.session.tracks.map((track) => viewer.session.counts(track))).toEqual([
      { received: 4, lost: 0, late: 0, invalid: 3 },
    ]);
  });

  test('has sequence numbers and times that wrap, and loss that is counted', async () => {
    const sequences = [65_533, 65_534, 65_535, 0, 3, 4];
    const camera = await FakeCamera.start({
      play: (connection) =>
        connection.send(
          ...sequences.map((sequence, index) => ({
            channel: 0,
            data: writeRtp({ sequence, timestamp: 2 ** 32 - 6000 + index * 3000, payload: Buffer.alloc(9) }),
          })),
          { channel: 1, data: writeSenderReport(1_700_000_000_500, 6000) },
          { channel: 0, data: writeRtp({ sequence: 5, timestamp: 3000, payload: Buffer.alloc(9) }) },
        ),
    });
    const viewer = await view(camera.url());
    await viewer.received(7);
    const begin = 2 ** 32 - 6000;
    expect(viewer.packets[0]?.map(({ timestamp }) => timestamp - begin)).toEqual([
      ...[0, 3000, 6000, 9000, 12_000, 15_000],
      9000,
    ]);
    expect(viewer.packets[0]?.map(({ lostBefore }) => lostBefore)).toEqual([0, 0, 0, 0, 2, 0, 0]);
    expect(viewer.reports[0]).toEqual([{ wallClockUs: 1_700_000_000_500_000, timestamp: begin + 12_000 }]);
    expect(viewer.session.counts(viewer.session.tracks[0] as never)).toMatchObject({ received: 7, lost: 2 });
  });

  test('is reported on to the camera', async () => {
    const reports: Buffer[] = [];
    const camera = await FakeCamera.start({
      onPacket: (channel, data) => channel === 1 && reports.push(data),
      play: (connection) =>
        connection.send(
          { channel: 1, data: writeSenderReport(Date.now(), 0) },
          { channel: 0, data: packet(7) },
          { channel: 0, data: packet(9) },
        ),
    });
    await view(camera.url(), { timeouts: { silenceMs: 20_000 } });
    await waitFor(() => reports.length > 0, 10_000, 'a receiver report');
    const [report = Buffer.alloc(0)] = reports;
    expect([report.readUInt8(0), report.readUInt8(1)]).toEqual([0x81, 201]);
    expect(report.readUIntBE(13, 3)).toBe(1);
    expect(report.readUInt32BE(16)).toBe(9);
    expect(report.readUInt32BE(24)).not.toBe(0);
    const sinceSeconds = report.readUInt32BE(28) / 65_536;
    expect(sinceSeconds).toBeGreaterThan(3);
    expect(sinceSeconds).toBeLessThan(10);
    // A receiver report goes together with the name of its source.
    expect(report.readUInt8(33)).toBe(202);
    expect(report.length % 4).toBe(0);
  });
});

describe('a URL', () => {
  const asked = async (base: string | undefined, sdp = oneVideo, path = '/main?') => {
    const camera = await FakeCamera.start({
      sdp,
      answer: ({ method }, usual) => [
        method === 'DESCRIBE' ? withHeader(usual, 'Content-Base', base) : usual,
      ],
    });
    const session = await openSession(camera.url('', path));
    await session.setup(session.tracks);
    await session.play({ onPacket: () => {}, onEnd: () => {} });
    await session.close();
    const urls = ['DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN'].map(
      (name) => camera.requests.find(({ method }) => method === name)?.url,
    );
    const origin = camera.url('', '');
    return urls.map((url) => url?.replace(origin, ''));
  };
  const control = (text: string) => oneVideo.replace('a=control:trackID=0', `a=control:${text}`);

  test.each([
    [undefined, oneVideo, ['/main?', '/main?/trackID=0', '/main?', '/main?']],
    [
      'rtsp://other/x/',
      oneVideo,
      ['/main?', 'rtsp://other/x/trackID=0', 'rtsp://other/x/', 'rtsp://other/x/'],
    ],
    ['rtsp://u:p@h/x', oneVideo, ['/main?', 'rtsp://h/x/trackID=0', 'rtsp://h/x', 'rtsp://h/x']],
    ['/cam/', oneVideo, ['/main?', '/cam/trackID=0', '/cam/', '/cam/']],
    ['nonsense with spaces', oneVideo, ['/main?', '/main?/trackID=0', '/main?', '/main?']],
    [
      undefined,
      control('rtsp://u:p@other/track1?x'),
      ['/main?', 'rtsp://other/track1?x', '/main?', '/main?'],
    ],
    [undefined, control('*'), ['/main?', '/main?', '/main?', '/main?']],
    [undefined, control('/track1'), ['/main?', '/main?/track1', '/main?', '/main?']],
    [undefined, control('track1?mode=x'), ['/main?', '/main?/track1?mode=x', '/main?', '/main?']],
    [undefined, control('?ctype=video'), ['/main?', '/main??ctype=video', '/main?', '/main?']],
    [undefined, oneVideo.replace(/a=control.*\r\n/g, ''), ['/main?', '/main?', '/main?', '/main?']],
    [
      '/cam/',
      oneVideo.replace('a=control:*', 'a=control:all'),
      ['/main?', '/cam/trackID=0', '/cam/all', '/cam/all'],
    ],
  ])('comes from Content-Base %s and the controls', async (base, sdp, urls) => {
    expect(await asked(base, sdp)).toEqual(urls);
  });
});

describe('a redirect', () => {
  const redirect = (status: number, to: () => string) => ({
    answer: (_: unknown, usual: FakeAnswer) => [
      { status, headers: [...usual.headers, ['Location', to()] as const] },
    ],
  });
  const login = { user: 'admin', password: 'secret', challenges: ['Basic realm="r"'] };

  test.each([301, 302, 305])('by %i is followed, with the password to the same host', async (status) => {
    const target = await FakeCamera.start({ login });
    const camera = await FakeCamera.start(redirect(status, () => target.url('x:y@', '/other')));
    await openSession(camera.url('admin:secret@'));
    expect(target.requests.at(-1)?.url).toBe(target.url('', '/other'));
  });

  test('to another host is followed without the password', async () => {
    const target = await FakeCamera.start({ login });
    const camera = await FakeCamera.start(
      redirect(302, () => target.url().replace('127.0.0.1', 'localhost')),
    );
    expect(await errorOf(openSession(camera.url('admin:secret@')))).toMatchObject({
      message: 'the camera asks for a user name and a password',
    });
    expect(target.requests.filter(({ headers }) => headers['authorization'])).toEqual([]);
  });

  test('without end is given up, and one to nowhere', async () => {
    const camera: FakeCamera = await FakeCamera.start(redirect(302, () => camera.url()));
    expect((await errorOf(openSession(camera.url()))).message).toBe('the camera redirects more than 3 times');
    expect(camera.requests).toHaveLength(4);
    const nowhere = await FakeCamera.start(redirect(302, () => 'http://x/'));
    expect((await errorOf(openSession(nowhere.url()))).message).toContain('an address that cannot be used');
  });
});

describe('a session', () => {
  test('is kept alive by GET_PARAMETER, well within its timeout', async () => {
    const times: number[] = [];
    const camera = await FakeCamera.start({
      session: 'a$b ; timeout=1',
      answer: ({ method, headers }, usual) => {
        if (method === 'GET_PARAMETER' && headers['session'] === 'a$b') times.push(performance.now());
        return [usual];
      },
    });
    await view(camera.url());
    await waitFor(() => times.length > 3, 5000, 'keep-alives');
    for (const [index, time] of times.entries()) expect(time - (times[index - 1] ?? time)).toBeLessThan(800);
  });

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

describe('every wait ends, and says what for', () => {
  const short = { connectMs: 300, answerMs: 300, firstPacketMs: 300, silenceMs: 300 };
  const mute = (name: string) => ({
    answer: ({ method }: { method: string }, usual: FakeAnswer) => (method === name ? [] : [usual]),
  });

  test('an answer', async () => {
    const describing = await FakeCamera.start(mute('DESCRIBE'));
    expect(await errorOf(view(describing.url(), { timeouts: short }))).toMatchObject({
      code: 'unreachable',
      message: 'the camera did not answer DESCRIBE within 0.3 s',
    });
    const playing = await FakeCamera.start(mute('PLAY'));
    expect((await errorOf(view(playing.url(), { timeouts: short }))).message).toBe(
      'the camera did not answer PLAY within 0.3 s',
    );
    const counting = await FakeCamera.start({
      answer: ({ method }, usual) => [method === 'DESCRIBE' ? withHeader(usual, 'CSeq', '77') : usual],
    });
    expect((await errorOf(view(counting.url(), { timeouts: short }))).message).toBe(
      'the camera did not answer DESCRIBE within 0.3 s; what it answered carries another CSeq',
    );
  });

  test('the first packet, and each further one', async () => {
    const silent = await FakeCamera.start();
    const first = await view(silent.url(), { timeouts: short });
    expect(await first.ended).toMatchObject({
      code: 'silent',
      message: 'connected, but no video came within 0.3 s',
    });
    const overUdp = await view(silent.url(), { timeouts: short, transport: 'udp' });
    expect((await overUdp.ended)?.message).toBe('connected, but no video came over UDP within 0.3 s');
    // Audio is no video.
    const stopping = await FakeCamera.start({
      sdp: videoAndAudio,
      play: async (connection) => {
        await connection.send(...video(1));
        for (let sequence = 0; sequence < 20; sequence++) {
          await connection.send({ channel: 2, data: packet(sequence, 8) });
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
    });
    const second = await view(stopping.url(), { timeouts: short });
    expect(await second.ended).toMatchObject({ code: 'silent', message: 'no video for 0.3 s' });
    expect(second.ends).toHaveLength(1);
    await waitFor(() => silent.connections + stopping.connections === 0, 5000, 'the end of the connections');
  });

  test('a connection, and a TLS handshake', async () => {
    const camera = await FakeCamera.start();
    const secure = camera.url().replace('rtsp:', 'rtsps:');
    expect(await errorOf(view(secure, { timeouts: short }))).toMatchObject({
      code: 'unreachable',
      message: 'the camera cannot be reached: no connection within 0.3 s',
    });
  });

  test('the end of the connection', async () => {
    const camera = await FakeCamera.start({
      answer: ({ method }, usual, { socket }) => {
        if (method === 'PLAY') socket.destroy();
        return [usual];
      },
    });
    expect(await errorOf(view(camera.url()))).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/ before the answer to PLAY$/),
    });
  });
});

describe('an answer that refuses', () => {
  test.each([
    [400, 'unreachable', 'the camera refuses DESCRIBE with RTSP status 400'],
    [403, 'unauthorized', 'the camera forbids DESCRIBE (RTSP status 403)'],
    [404, 'not_found', 'the camera has no such stream'],
    [503, 'unreachable', 'the camera is too busy for DESCRIBE (RTSP status 503)'],
  ])('with status %i is %s', async (status, code, message) => {
    const camera = await FakeCamera.start({ answer: (_, usual) => [{ ...usual, status }] });
    expect(await errorOf(view(camera.url()))).toMatchObject({ code, message, status });
  });

  test.each([[''], ['v=0\r\n'], ['garbage'], ['m=video nonsense']])('describes nothing: %j', async (sdp) => {
    const camera = await FakeCamera.start({ sdp });
    expect(await errorOf(view(camera.url()))).toMatchObject({ code: 'no_video' });
  });
});
