import { describe, expect, test } from 'vitest';
import { type FakeAnswer, FakeCamera, oneVideo, withHeader } from '../../support/fake-camera.ts';
import { errorOf, openSession } from '../../support/rtsp-viewer.ts';

/** Where the client turns to, whatever addresses a camera gives. */

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
    // A request line holds the whole URL.
    for (const url of urls) expect(url).toMatch(/^rtsp:\/\//);
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
    ['nonsense', oneVideo, ['/main?', '/main?/trackID=0', '/main?', '/main?']],
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
