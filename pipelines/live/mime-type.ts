import type { AudioConfig } from '../codecs/aac.ts';
import type { VideoConfig } from '../codecs/nal-unit.ts';

/** The type by which a browser decides whether it can play a stream: `video/mp4; codecs="avc1.42C01F"`. */
export function mimeType({ codec, record }: VideoConfig): string {
  return `video/mp4; codecs="${codec === 'h264' ? avc1(record) : hvc1(record)}"`;
}

/** The same of sound: `audio/mp4; codecs="mp4a.40.2"`. */
export function soundMimeType({ specificConfig }: AudioConfig): string {
  // The first five bits are the kind of AAC; 31 says that six more do.
  const [first = 0, second = 0] = specificConfig;
  const short = first >> 3;
  const kind = short === 31 ? 32 + ((first & 7) << 3) + (second >> 5) : short;
  return `audio/mp4; codecs="mp4a.40.${kind}"`;
}

/** RFC 6381, section 3.3: profile, constraints and level of `avcC`. */
function avc1(record: Buffer): string {
  return `avc1.${record.toString('hex', 1, 4).toUpperCase()}`;
}

/** ISO/IEC 14496-15, annex E.3, of `hvcC`. */
function hvc1(record: Buffer): string {
  const general = record[1] ?? 0;
  const space = ['', 'A', 'B', 'C'][general >> 6];
  const tier = general & 0x20 ? 'H' : 'L';
  const compatibility = reversedBits(record.readUInt32BE(2)).toString(16).toUpperCase();
  const constraints = [...record.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  const parts = [
    `hvc1.${space}${general & 0x1f}`,
    compatibility,
    `${tier}${record[12] ?? 0}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ];
  return parts.join('.');
}

function reversedBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((value >>> bit) & 1);
  return reversed;
}
