import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MediaPacket } from '../../../pipelines/depayload/media-packet.ts';
import type { VideoUnit } from '../../../pipelines/media/unit.ts';
import { VideoTrack } from '../../../pipelines/media/video-track.ts';
import { type EncodeOptions, mediaPackets, videoPackets } from '../../support/rtp.ts';

function unitsOf(codec: 'h264' | 'h265', packets: readonly MediaPacket[]): VideoUnit[] {
  const units: VideoUnit[] = [];
  const track = new VideoTrack({
    codec,
    ticksPerSecond: 90_000,
    onUnit: (unit) => {
      const last = units.at(-1);
      if (unit.continues && last)
        units[units.length - 1] = { ...last, data: Buffer.concat([last.data, unit.data]) };
      else units.push(unit);
    },
    onJump: () => {},
  });
  for (const packet of packets) track.push(packet);
  track.flush();
  return units;
}

const seen = (units: readonly VideoUnit[]) =>
  units.map(({ time, keyFrame, data }) => ({
    time: time - (units[0]?.time ?? 0),
    keyFrame,
    data: data.toString('base64'),
  }));

/** The NAL units of pictures, as text. */
function nalsOf(units: readonly VideoUnit[]): string[] {
  return units.flatMap(({ data }) => {
    const nals: string[] = [];
    for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) {
      nals.push(data.toString('base64', at + 4, at + 4 + data.readUInt32BE(at)));
    }
    return nals;
  });
}

const streams: [string, 'h264' | 'h265', EncodeOptions][] = [
  ['H.264', 'h264', {}],
  ['H.264 in slices', 'h264', { options: 'tune=zerolatency sliced-threads=true threads=3' }],
  [
    'H.264 with B-frames',
    'h264',
    { options: 'speed-preset=medium option-string=bframes=3:b-adapt=0:b-pyramid=normal' },
  ],
  ['interlaced H.264', 'h264', { options: 'interlaced=true' }],
  ['H.264 in packets that hold several units', 'h264', { payloader: 'mtu=1400 aggregate-mode=max-stap' }],
  ['H.265', 'h265', {}],
  ['H.265 with B-frames', 'h265', { options: 'speed-preset=medium' }],
];

describe.each(streams)('%s', (_, codec, options) => {
  let packets: readonly MediaPacket[];
  let right: readonly VideoUnit[];
  beforeAll(async () => {
    packets = mediaPackets(await videoPackets(codec, { frames: 40, ...options }));
    right = unitsOf(codec, packets);
  });

  test('comes as the pictures that were encoded', () => {
    expect(right).toHaveLength(40);
    expect(right.filter(({ keyFrame }) => keyFrame).length).toBeGreaterThanOrEqual(4);
    const times = right.map(({ time }) => time - (right[0]?.time ?? 0)).sort((a, b) => a - b);
    for (const [n, time] of times.entries()) expect(Math.abs(time - n * 9000)).toBeLessThanOrEqual(2);
  });

  test.each([
    ['without marker bits', () => false],
    ['with nothing but marker bits', () => true],
    ['with marker bits that are always wrong', (marker: boolean) => !marker],
  ])('%s is the same', (__, change) => {
    const spoilt = packets.map((packet) => ({ ...packet, marker: change(packet.marker) }));
    expect(seen(unitsOf(codec, spoilt))).toEqual(seen(right));
  });

  test('with any marker bits is the same', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (flips) => {
        const spoilt = packets.map((packet, n) => ({
          ...packet,
          marker: packet.marker !== (flips[n % flips.length] ?? false),
        }));
        expect(seen(unitsOf(codec, spoilt))).toEqual(seen(right));
      }),
      { numRuns: 50 },
    );
  });

  test('with marker bits that go wrong after a while is the same', () => {
    const spoilt = packets.map((packet, n) => ({
      ...packet,
      marker: n > packets.length / 2 || packet.marker,
    }));
    expect(seen(unitsOf(codec, spoilt))).toEqual(seen(right));
  });

  test('whose parameter sets have the time of the picture before is the same', () => {
    const isSlice = ({ data }: MediaPacket) =>
      codec === 'h264'
        ? [1, 5, 24, 28].includes((data[12] ?? 0) & 31)
        : (data[12] ?? 0) >> 1 < 32 || (data[12] ?? 0) >> 1 >= 48;
    let last = 0;
    const spoilt = packets.map((packet) => {
      if (isSlice(packet)) last = packet.timestamp;
      return { ...packet, timestamp: last };
    });
    expect(seen(unitsOf(codec, spoilt))).toEqual(seen(right));
  });

  test('of which packets are lost or are garbage leaves the others as they are', () => {
    const nals = new Set(nalsOf(right));
    fc.assert(
      fc.property(
        fc.oneof(
          ...[['lose'], ['lose', 'spoil']].map((ill) =>
            fc.array(fc.constantFrom('keep', 'keep', 'keep', 'keep', ...ill), {
              minLength: 7,
              maxLength: 90,
            }),
          ),
        ),
        fc.uint8Array({ maxLength: 30 }),
        (fates, garbage) => {
          let lostBefore = 0;
          const spoilt = packets.flatMap((packet, n) => {
            const fate = fates[n % fates.length];
            if (fate === 'lose') {
              lostBefore += 1;
              return [];
            }
            const lost = lostBefore;
            lostBefore = 0;
            if (fate === 'keep') return [{ ...packet, lostBefore: lost }];
            return [
              {
                ...packet,
                lostBefore: lost,
                data: Buffer.from(garbage),
                payloadBegin: 0,
                payloadEnd: garbage.length,
              },
            ];
          });
          const whole = new Set(right.map(({ data }) => data.toString('base64')));
          const units = unitsOf(codec, spoilt);
          expect(units.length).toBeLessThanOrEqual(spoilt.length);
          if (fates.every((fate) => fate === 'keep')) {
            expect(units.every(({ data }) => whole.has(data.toString('base64')))).toBe(true);
          }
          // A NAL unit of which a part is lost is left out.
          if (!fates.includes('spoil')) expect(nalsOf(units).filter((nal) => !nals.has(nal))).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});
