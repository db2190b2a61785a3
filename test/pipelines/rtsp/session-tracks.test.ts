import { describe, expect, test } from 'vitest';
import { FakeCamera, videoAndAudio, withHeader } from '../../support/fake-camera.ts';
import { packet, video } from '../../support/fake-video.ts';
import { writeRtp, writeSenderReport } from '../../support/rtp-writer.ts';
import { view } from '../../support/rtsp-viewer.ts';
import { waitFor } from '../../support/wait.ts';

/** What the client makes of the tracks of cameras that do things another way, and of their packets. */

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
