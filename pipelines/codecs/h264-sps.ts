import { BitReader, withoutEmulation } from './bit-reader.ts';

/** The fields that are used of a sequence parameter set (Rec. ITU-T H.264, section 7.3.2.1.1). */
export interface H264Sps {
  readonly id: number;
  readonly profile: number;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly width: number;
  readonly height: number;
  /** No picture is made of two fields. */
  readonly progressive: boolean;
}

/** Profiles whose SPS says how colours are stored. */
export const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** @param nal the whole NAL unit, header included. @throws {RangeError} when it is none. */
export function parseH264Sps(nal: Buffer): H264Sps {
  const reader = new BitReader(withoutEmulation(nal.subarray(1)));
  const profile = reader.bits(8);
  reader.skipBits(16);
  const id = reader.unsigned();
  if (id > 31) throw new RangeError('the number of an SPS');
  const colours = highProfiles.has(profile) ? readColours(reader) : usualColours;
  reader.unsigned();
  skipPictureOrder(reader);
  reader.unsigned();
  reader.flag();
  const widthInBlocks = reader.unsigned() + 1;
  const heightInMapUnits = reader.unsigned() + 1;
  const progressive = reader.flag();
  if (!progressive) reader.flag();
  reader.flag();
  const fieldFactor = progressive ? 1 : 2;
  let width = widthInBlocks * 16;
  let height = heightInMapUnits * 16 * fieldFactor;
  if (reader.flag()) {
    const [left, right, top, bottom] = [
      reader.unsigned(),
      reader.unsigned(),
      reader.unsigned(),
      reader.unsigned(),
    ];
    const { chromaFormat, separatePlanes } = colours;
    const unitX = !separatePlanes && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
    const unitY = !separatePlanes && chromaFormat === 1 ? 2 : 1;
    width -= (left + right) * unitX;
    height -= (top + bottom) * unitY * fieldFactor;
  }
  if (width <= 0 || height <= 0 || width > 0xffff || height > 0xffff) throw new RangeError('the size');
  const { chromaFormat, bitDepthLuma, bitDepthChroma } = colours;
  return { id, profile, chromaFormat, bitDepthLuma, bitDepthChroma, width, height, progressive };
}

const usualColours = { chromaFormat: 1, separatePlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };

function readColours(reader: BitReader): typeof usualColours {
  const chromaFormat = reader.unsigned();
  if (chromaFormat > 3) throw new RangeError('the chroma format');
  const separatePlanes = chromaFormat === 3 && reader.flag();
  const bitDepthLuma = reader.unsigned() + 8;
  const bitDepthChroma = reader.unsigned() + 8;
  if (bitDepthLuma > 14 || bitDepthChroma > 14) throw new RangeError('the bit depth');
  reader.flag();
  if (reader.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let list = 0; list < lists; list += 1)
      if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
  }
  return { chromaFormat, separatePlanes, bitDepthLuma, bitDepthChroma };
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index += 1) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.unsigned();
  if (type === 0) {
    reader.unsigned();
  } else if (type === 1) {
    reader.flag();
    reader.signed();
    reader.signed();
    const count = reader.unsigned();
    if (count > 255) throw new RangeError('the picture order');
    for (let index = 0; index < count; index += 1) reader.signed();
  }
}
