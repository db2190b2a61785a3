import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { AacPayload } from '../../../pipelines/depayload/aac-payload.ts';
import type { MediaPacket } from '../../../pipelines/depayload/media-packet.ts';
import { mediaPackets, packetsOf } from '../../support/rtp.ts';

const format = { sizeLength: 13, indexLength: 3, indexDeltaLength: 3, frameTicks: 1024 };

test.each([['mtu=1400'], ['mtu=60']])(
  'AAC in packets of %s comes as the frames that were encoded',
  async (payloader) => {
    const line = 'audiotestsrc num-buffers=60 wave=ticks ! audio/x-raw,rate=16000,channels=1 ! avenc_aac';
    const packets = mediaPackets(await packetsOf(`${line} ! rtpmp4gpay ${payloader}`), 16_000);
    const payload = new AacPayload(format);
    const frames = packets.flatMap((packet) => payload.push(packet));
    expect(frames.length).toBeGreaterThanOrEqual(59);
    expect(frames.length).toBeLessThanOrEqual(62);
    for (const [n, { timestamp, data }] of frames.entries()) {
      expect(timestamp - (frames[0]?.timestamp ?? 0)).toBe(n * 1024);
      expect(data.length).toBeGreaterThan(2);
    }
  },
);

test('any bytes are frames or nothing', () => {
  const lengths = fc.integer({ min: 0, max: 32 });
  fc.assert(
    fc.property(
      lengths,
      lengths,
      lengths,
      fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 20 }),
      (sizeLength, indexLength, indexDeltaLength, all) => {
        const payload = new AacPayload({ sizeLength, indexLength, indexDeltaLength, frameTicks: 1024 });
        for (const bytes of all) {
          const data = Buffer.from(bytes);
          const frames = payload.push({
            data,
            payloadBegin: 0,
            payloadEnd: data.length,
            marker: false,
            timestamp: 0,
            arrivedMs: 0,
            lostBefore: 0,
          });
          expect(frames.length).toBeLessThanOrEqual(64);
        }
      },
    ),
  );
});

/** A packet that announces one frame of so many bytes, and holds a part of it. */
function partOf(bytes: number, part: readonly number[]): MediaPacket {
  const data = Buffer.from([0, 16, bytes >> 5, (bytes << 3) & 0xff, ...part]);
  return {
    ...{ data, payloadBegin: 0, payloadEnd: data.length },
    ...{ marker: false, timestamp: 0, arrivedMs: 0, lostBefore: 0 },
  };
}

test('of parts of a frame, those without a byte are not kept', () => {
  const payload = new AacPayload(format);
  for (let n = 0; n < 1000; n += 1) expect(payload.push(partOf(4, []))).toEqual([]);
  const concat = vi.spyOn(Buffer, 'concat');
  const frames = [
    [1, 2],
    [3, 4],
  ].flatMap((part) => payload.push(partOf(4, part)));
  const joined = concat.mock.calls.map(([parts]) => parts.length);
  concat.mockRestore();
  expect(frames.map(({ data }) => [...data])).toEqual([[1, 2, 3, 4]]);
  expect(joined).toEqual([2]);
});
