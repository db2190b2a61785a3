import { BitReader, withoutEmulation } from './bit-reader.ts';

/** The fields that are used of a sequence parameter set (Rec. ITU-T H.265, section 7.3.2.2.1). */
export interface H265Sps {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly temporalLayers: number;
  readonly temporalNesting: boolean;
  /** Profile, tier, compatibility, constraints and level, as they are in the SPS and in `hvcC`. */
  readonly profileTierLevel: Buffer;
}

const profileTierLevelBytes = 12;

/** @param nal the whole NAL unit, header included. @throws {RangeError} when it is none. */
export function parseH265Sps(nal: Buffer): H265Sps {
  const data = withoutEmulation(nal.subarray(2));
  const reader = new BitReader(data);
  reader.skipBits(4);
  const subLayers = reader.bits(3);
  const temporalNesting = reader.flag();
  const profileTierLevel = data.subarray(1, 1 + profileTierLevelBytes);
  reader.skipBits(profileTierLevelBytes * 8);
  skipSubLayers(reader, subLayers);
  const id = reader.unsigned();
  if (id > 15) throw new RangeError('the number of an SPS');
  const chromaFormat = reader.unsigned();
  if (chromaFormat > 3) throw new RangeError('the chroma format');
  const separatePlanes = chromaFormat === 3 && reader.flag();
  let width = reader.unsigned();
  let height = reader.unsigned();
  if (reader.flag()) {
    const [left, right, top, bottom] = [
      reader.unsigned(),
      reader.unsigned(),
      reader.unsigned(),
      reader.unsigned(),
    ];
    const unitX = !separatePlanes && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
    const unitY = !separatePlanes && chromaFormat === 1 ? 2 : 1;
    width -= (left + right) * unitX;
    height -= (top + bottom) * unitY;
  }
  if (width <= 0 || height <= 0 || width > 0xffff || height > 0xffff) throw new RangeError('the size');
  const bitDepthLuma = reader.unsigned() + 8;
  const bitDepthChroma = reader.unsigned() + 8;
  if (bitDepthLuma > 16 || bitDepthChroma > 16) throw new RangeError('the bit depth');
  const temporalLayers = subLayers + 1;
  const size = { width, height, chromaFormat, bitDepthLuma, bitDepthChroma };
  return { id, ...size, temporalLayers, temporalNesting, profileTierLevel };
}

function skipSubLayers(reader: BitReader, count: number): void {
  const present = Array.from({ length: count }, () => [reader.flag(), reader.flag()] as const);
  if (count > 0) reader.skipBits(2 * (8 - count));
  for (const [profile, level] of present) reader.skipBits((profile ? 88 : 0) + (level ? 8 : 0));
}
