import { box, fullBox, u16, u32 } from '../../bus/base/box-writer.ts';
import type { AudioConfig } from '../codecs/aac.ts';
import type { VideoConfig } from '../codecs/nal-unit.ts';

/** How a track's samples are encoded: the entries of `stsd`. */

/** ISO/IEC 14496-12, section 12.1.3, and 14496-15. Parameter sets may be in the samples as well: hence avc3 and hev1
 * would be right, and no player cares; avc1 and hvc1 are what Safari asks for. */
export function videoSampleEntry({ codec, width, height, record }: VideoConfig): Buffer {
  const [type, recordType] = codec === 'h264' ? ['avc1', 'avcC'] : ['hvc1', 'hvcC'];
  const dotsPerInch72 = 0x0048_0000;
  return box(
    type as string,
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(16),
    u16(width, height),
    u32(dotsPerInch72, dotsPerInch72, 0),
    u16(1),
    Buffer.alloc(32),
    u16(0x18, 0xffff),
    box(recordType as string, record),
  );
}

/** ISO/IEC 14496-12, section 12.2.3, and 14496-14. */
export function audioSampleEntry({ sampleRate, channels, specificConfig }: AudioConfig): Buffer {
  return box(
    'mp4a',
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(8),
    u16(channels, 16, 0, 0),
    // The field has 16 bits; beyond them the AudioSpecificConfig says it alone.
    u16(sampleRate > 0xffff ? 0 : sampleRate, 0),
    fullBox('esds', 0, 0, elementaryStream(specificConfig)),
  );
}

/** ISO/IEC 14496-1, section 7.2.6.5: descriptors in each other, each a tag, a length and its content. */
function elementaryStream(specificConfig: Buffer): Buffer {
  const aac = 0x40;
  const audioStream = 0x15;
  const decoderConfig = descriptor(
    4,
    Buffer.from([aac, audioStream, 0, 0, 0]),
    u32(0, 0),
    descriptor(5, specificConfig),
  );
  return descriptor(3, u16(1), Buffer.from([0]), decoderConfig, descriptor(6, Buffer.from([2])));
}

function descriptor(tag: number, ...content: readonly Buffer[]): Buffer {
  const size = content.reduce((sum, { length }) => sum + length, 0);
  const length = [(size >> 21) | 0x80, (size >> 14) | 0x80, (size >> 7) | 0x80, size & 0x7f];
  return Buffer.concat([Buffer.from([tag, ...length]), ...content]);
}
