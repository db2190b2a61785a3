import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAudioConfig } from '../../../pipelines/codecs/aac.ts';
import { withoutEmulation } from '../../../pipelines/codecs/bit-reader.ts';
import { H264Codec } from '../../../pipelines/codecs/h264.ts';
import { H265Codec } from '../../../pipelines/codecs/h265.ts';
import { headBytes, type NalCodec } from '../../../pipelines/codecs/nal-unit.ts';
import { NalPayload } from '../../../pipelines/depayload/nal-payload.ts';
import { mediaPackets, videoPackets } from '../../support/rtp.ts';

const codecs = { h264: () => new H264Codec(), h265: () => new H265Codec() } as const;

async function nalsOf(codec: 'h264' | 'h265', size: [number, number]): Promise<Buffer[]> {
  const [width, height] = size;
  const packets = mediaPackets(await videoPackets(codec, { frames: 3, width, height }));
  const payload = new NalPayload(codec);
  return packets.flatMap((packet) => payload.push(packet)).map((nal) => Buffer.from(nal));
}

function feed(codec: NalCodec, nals: readonly Buffer[]): void {
  for (const nal of nals) {
    if (codec.read(nal.subarray(0, headBytes)).kind === 'parameters') codec.store(nal);
  }
}

describe.each(['h264', 'h265'] as const)('%s', (name) => {
  test.each([
    [320, 240],
    [642, 362],
    [1280, 720],
  ] as [number, number][])('of %d×%d is known by its parameter sets', async (width, height) => {
    const codec = codecs[name]();
    expect(codec.config).toBeUndefined();
    feed(codec, await nalsOf(name, [width, height]));
    expect(codec.config).toMatchObject({ codec: name, width, height });
  });

  test('knows a parameter set again, and has another configuration when one changes', async () => {
    const codec = codecs[name]();
    const [small, large] = [await nalsOf(name, [320, 240]), await nalsOf(name, [640, 480])];
    feed(codec, small);
    const first = codec.config;
    feed(codec, small);
    expect(codec.config).toBe(first);
    feed(codec, large);
    expect(codec.config).toMatchObject({ width: 640, height: 480 });
  });

  test('is not known by a parameter set that is too long to be kept', async () => {
    const codec = codecs[name]();
    const [small, large] = [await nalsOf(name, [320, 240]), await nalsOf(name, [640, 480])];
    const sps = { h264: 0x67, h265: 0x42 }[name];
    expect(large.some(([first]) => first === sps)).toBe(true);
    feed(codec, small);
    // The others are kept, and make another configuration.
    const longer = large.map((nal) => Buffer.concat([nal, Buffer.alloc(nal[0] === sps ? 5000 : 1, 1)]));
    feed(codec, longer);
    expect(codec.config).toMatchObject({ width: 320, height: 240 });
  });

  test('takes any bytes for a NAL unit, and forgets nothing over them', async () => {
    const codec = codecs[name]();
    const nals = await nalsOf(name, [320, 240]);
    feed(codec, nals);
    const spoilt = fc
      .tuple(fc.constantFrom(...nals), fc.nat(), fc.uint8Array({ maxLength: 40 }))
      .map(([nal, at, bytes]) => Buffer.concat([nal.subarray(0, at % nal.length), bytes]));
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 200 }).map(Buffer.from)), (nal) => {
        codec.read(nal.subarray(0, headBytes));
        codec.store(nal);
        const { config } = codec;
        expect(config?.width).toBeGreaterThan(0);
        expect(config?.record.length).toBeLessThan(64 * 4200);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the configuration record of H.264', () => {
  const exponential = (value: number) => {
    const bits = (value + 1).toString(2);
    return '0'.repeat(bits.length - 1) + bits;
  };
  /** Baseline, 320×240, without anything that it may leave out. */
  const spsOf = (id: number) => {
    const fields = [id, 0, 2, 1].map(exponential);
    const size = [19, 14].map(exponential);
    const bits = [...fields, '0', ...size, '1', '1', '0', '0', '1'].join('');
    const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    return Buffer.from([0x67, 66, 0, 30, ...bytes]);
  };
  const pps = Buffer.from([0x68, 0xce, 0x3c, 0x80]);

  test('is not made of a sequence parameter set that is too long to be kept', () => {
    const codec = new H264Codec();
    codec.store(Buffer.concat([spsOf(0), Buffer.alloc(5000, 1)]));
    codec.store(pps);
    expect(codec.config).toBeUndefined();
    codec.store(spsOf(0));
    expect(codec.config).toMatchObject({ width: 320, height: 240 });
    expect([...(codec.config?.record.subarray(5, 8) ?? [])]).toEqual([0xe1, 0, spsOf(0).length]);
  });

  test('holds as many sequence parameter sets as it can count', () => {
    const codec = new H264Codec();
    for (let id = 0; id < 32; id += 1) codec.store(spsOf(id));
    codec.store(pps);
    const record = codec.config?.record ?? Buffer.alloc(0);
    const count = record.readUInt8(5) & 31;
    expect(count).toBe(31);
    let at = 6;
    for (let n = 0; n < count; n += 1) at += 2 + record.readUInt16BE(at);
    expect([...record.subarray(at)]).toEqual([1, 0, pps.length, ...pps]);
  });
});

describe('AudioSpecificConfig', () => {
  test.each([
    ['1408', 16_000, 1, 1024],
    ['1210', 44_100, 2, 1024],
    ['1588', 8000, 1, 1024],
    ['1214', 44_100, 2, 960],
    ['2b11880000', 24_000, 2, 1024],
  ])('%s is %d Hz, %d channels, %d samples a frame', (hex, sampleRate, channels, frameTicks) => {
    expect(parseAudioConfig(Buffer.from(hex, 'hex'))).toMatchObject({ sampleRate, channels, frameTicks });
  });

  test('of any bytes is refused or has a rate', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          expect(parseAudioConfig(Buffer.from(bytes)).sampleRate).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

test('bytes against start codes are taken out, and no others', () => {
  const hex = (text: string) => withoutEmulation(Buffer.from(text, 'hex')).toString('hex');
  expect(hex('0000030000030103')).toBe('000000000103');
  expect(hex('670003')).toBe('670003');
});
