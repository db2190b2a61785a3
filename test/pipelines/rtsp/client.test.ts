import { describe, expect, test } from 'vitest';
import { parseRtspAddress } from '../../../bus/base/rtsp-address.ts';
import type { RtspTrack } from '../../../pipelines/rtsp/protocol/sdp.ts';
import type { SenderReport } from '../../../pipelines/rtsp/rtp/rtcp.ts';
import type { RtpPacket } from '../../../pipelines/rtsp/rtp/rtp-packet.ts';
import { openRtsp } from '../../../pipelines/rtsp/rtsp-client.ts';
import type { RtspSession } from '../../../pipelines/rtsp/rtsp-session.ts';
import type { RtspTransport } from '../../../pipelines/rtsp/track-setup.ts';
import { startCamera, testMounts } from '../../support/camera.ts';
import { atEnd } from '../../support/cleanup.ts';
import { waitFor } from '../../support/wait.ts';

/** The client against a real RTSP server. */

const timeouts = { connectMs: 5000, answerMs: 10_000, firstPacketMs: 10_000, silenceMs: 5000 };

async function open(url: string, transport: RtspTransport = 'tcp'): Promise<RtspSession> {
  const session = await openRtsp({
    address: parseRtspAddress(url),
    transport,
    timeouts,
    signal: new AbortController().signal,
    log: () => {},
  });
  atEnd(() => session.close());
  return session;
}

describe('a camera with H.264 and AAC', () => {
  test('is described', async () => {
    const camera = await startCamera({ mounts: { main: testMounts.withAudio } });
    const session = await open(camera.url('main'));
    const [video, audio] = session.tracks;
    expect(session.tracks).toHaveLength(2);
    expect(video).toMatchObject({ media: 'video', codec: 'H264', clockRate: 90_000, payloadType: 96 });
    expect(video?.fmtp.get('sprop-parameter-sets')).toMatch(/^[A-Za-z0-9+/=]+,[A-Za-z0-9+/=]+$/);
    expect(audio).toMatchObject({ media: 'audio', codec: 'AAC', clockRate: 16_000, channels: 1 });
    expect(audio?.fmtp.get('config')).toMatch(/^[0-9A-Fa-f]+$/);
  });

  test.each(['tcp', 'udp'] as const)('sends both over %s, whole and in order', async (transport) => {
    const camera = await startCamera({ mounts: { main: testMounts.withAudio } });
    const session = await open(camera.url('main'), transport);
    const results = await session.setup(session.tracks);
    expect(results).toEqual(session.tracks.map((track) => ({ track, transport })));

    const packets = new Map<RtspTrack, RtpPacket[]>(session.tracks.map((track) => [track, []]));
    const reports = new Map<RtspTrack, SenderReport[]>(session.tracks.map((track) => [track, []]));
    const ends: unknown[] = [];
    await session.play({
      onPacket: (track, packet) => packets.get(track)?.push(packet),
      onReport: (track, report) => reports.get(track)?.push(report),
      onEnd: (error) => ends.push(error),
    });
    const [video, audio] = session.tracks as [RtspTrack, RtspTrack];
    await waitFor(
      () => (packets.get(video)?.length ?? 0) > 30 && (packets.get(audio)?.length ?? 0) > 20,
      20_000,
      'packets',
    );
    await waitFor(() => (reports.get(video)?.length ?? 0) > 0, 20_000, 'a sender report');

    for (const track of session.tracks) {
      const list = packets.get(track) ?? [];
      const counts = session.counts(track);
      expect(counts).toMatchObject({ received: list.length, lost: 0, late: 0, invalid: 0 });
      for (const [index, packet] of list.entries()) {
        const last = list[index - 1];
        if (last) expect(packet.sequence).toBe((last.sequence + 1) & 0xffff);
        if (last) expect(packet.timestamp).toBeGreaterThanOrEqual(last.timestamp);
        expect(packet.payloadEnd).toBe(packet.data.length);
      }
    }
    const report = reports.get(video)?.[0];
    expect(Math.abs((report?.wallClockUs ?? 0) / 1000 - Date.now())).toBeLessThan(20_000);
    await session.close();
    expect(ends).toEqual([undefined]);
  });
});

describe.each(['basic', 'digest'] as const)('a camera that asks for a %s login', (method) => {
  const user = 'ad min';
  const password = 'p@ss/w:%ö"\\';

  test.each(['tcp', 'udp'] as const)('plays over %s with the right password', async (transport) => {
    const camera = await startCamera({ mounts: { main: testMounts.h264() }, user, password, method });
    const session = await open(camera.url('main'), transport);
    expect(await session.setup(session.tracks)).toMatchObject([{ transport }]);
    let count = 0;
    await session.play({ onPacket: () => count++, onEnd: () => {} });
    await waitFor(() => count > 5, 10_000, 'packets');
  });

  test('says that the password is wrong, or missing', async () => {
    const camera = await startCamera({ mounts: { main: testMounts.h264() }, user, password, method });
    await expect(open(camera.url('main', user, 'other'))).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'wrong user name or password',
    });
    await expect(open(camera.url('main', undefined))).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'the camera asks for a user name and a password',
    });
  });
});

describe('a camera', () => {
  test('that has no such stream says so', async () => {
    const camera = await startCamera({ mounts: { main: testMounts.h264() } });
    await expect(open(camera.url('other'))).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that is killed is lost; one that hangs is silent', async () => {
    const camera = await startCamera({ mounts: { main: testMounts.h264() } });
    for (const [act, code] of [
      [camera.freeze, 'silent'],
      [camera.kill, 'lost'],
    ] as const) {
      const session = await open(camera.url('main'));
      await session.setup(session.tracks);
      let count = 0;
      const end = new Promise((resolve) => {
        void session.play({ onPacket: () => count++, onEnd: resolve });
      });
      await waitFor(() => count > 0, 10_000, 'a packet');
      await act();
      expect(await end).toMatchObject({ code });
      camera.thaw();
    }
  });

  test('that is not there cannot be reached', async () => {
    const camera = await startCamera({ mounts: { main: testMounts.h264() } });
    await camera.kill();
    await expect(open(camera.url('main'))).rejects.toMatchObject({
      code: 'unreachable',
      message: 'the camera cannot be reached: it refuses connections to this port',
    });
  });
});
