import { describe, expect, test } from 'vitest';
import { type FakeAnswer, FakeCamera, videoAndAudio, withHeader } from '../../support/fake-camera.ts';
import { packet, video } from '../../support/fake-video.ts';
import { errorOf, view } from '../../support/rtsp-viewer.ts';
import { waitFor } from '../../support/wait.ts';

/** How the client fails where a camera does not answer, falls silent or refuses. */

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
