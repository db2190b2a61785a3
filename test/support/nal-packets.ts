import { writeRtp } from './rtp-writer.ts';

/** One picture as a camera's encoder gives it to its payloader. */
export interface NalPicture {
  /** In ticks. */
  readonly timestamp: number;
  readonly nals: readonly Buffer[];
}

/** How a camera packs its pictures; all of it is allowed, or common. */
export interface PackStyle {
  /** The largest payload. Larger NAL units are sent in fragments. */
  readonly payloadBytes: number;
  /** Small NAL units of a picture go into one packet. */
  readonly aggregate: boolean;
  readonly markers: 'right' | 'never' | 'always' | 'wrong';
  /** What comes before a picture's slices has the time of the picture before. */
  readonly earlyParameters: boolean;
  readonly firstSequence: number;
  /** Added to all timestamps. */
  readonly firstTimestamp: number;
  readonly extension?: readonly number[] | undefined;
  readonly csrcs: readonly number[];
  readonly padding: number;
}

type Codec = 'h264' | 'h265';

const headerBytes = { h264: 1, h265: 2 } as const;

/** Of packets that hold one NAL unit each, the pictures. */
export function nalPictures(packets: readonly Buffer[]): NalPicture[] {
  const pictures: { timestamp: number; nals: Buffer[] }[] = [];
  const begin = packets[0]?.readUInt32BE(4) ?? 0;
  for (const packet of packets) {
    const timestamp = (packet.readUInt32BE(4) - begin) | 0;
    if (pictures.at(-1)?.timestamp !== timestamp) pictures.push({ timestamp, nals: [] });
    pictures.at(-1)?.nals.push(packet.subarray(12));
  }
  return pictures;
}

/** @returns for each picture its packets. */
export function packPictures(codec: Codec, pictures: readonly NalPicture[], style: PackStyle): Buffer[][] {
  let sequence = style.firstSequence;
  return pictures.map(({ timestamp, nals }, n) => {
    const ahead = style.earlyParameters ? nals.filter((nal) => !isSlice(codec, nal)) : [];
    const rest = nals.filter((nal) => !ahead.includes(nal));
    const before = pictures[n - 1]?.timestamp ?? timestamp;
    const payloads = [
      ...pack(codec, ahead, style).map((payload) => ({ payload, timestamp: before, isLast: false })),
      ...pack(codec, rest, style).map((payload, index, all) => ({
        ...{ payload, timestamp, isLast: index === all.length - 1 },
      })),
    ];
    return payloads.map(({ payload, timestamp: ticks, isLast }) =>
      writeRtp({
        payload,
        sequence: sequence++,
        timestamp: ticks + style.firstTimestamp,
        marker: { right: isLast, never: false, always: true, wrong: !isLast }[style.markers],
        csrcs: style.csrcs,
        padding: style.padding,
        ...(style.extension && { extension: style.extension }),
      }),
    );
  });
}

export function isSlice(codec: Codec, nal: Buffer): boolean {
  const first = nal[0] ?? 0;
  return codec === 'h264' ? [1, 5].includes(first & 31) : first >> 1 < 32;
}

/** The parameters of a description: SPS and PPS, and VPS of H.265. */
export function describeParameters(codec: Codec, [first]: readonly NalPicture[]): string {
  const sets = first?.nals.filter((nal) => !isSlice(codec, nal)) ?? [];
  const ofType = (...types: number[]) =>
    sets
      .filter(([byte = 0]) => types.includes(codec === 'h264' ? byte & 31 : byte >> 1))
      .map((nal) => nal.toString('base64'))
      .join(',');
  return codec === 'h264'
    ? `sprop-parameter-sets=${ofType(7, 8)}`
    : `sprop-vps=${ofType(32)};sprop-sps=${ofType(33)};sprop-pps=${ofType(34)}`;
}

function pack(codec: Codec, nals: readonly Buffer[], style: PackStyle): Buffer[] {
  const payloads: Buffer[] = [];
  let small: Buffer[] = [];
  const flush = () => {
    if (small.length > 0) payloads.push(small.length > 1 ? aggregateOf(codec, small) : Buffer.concat(small));
    small = [];
  };
  for (const nal of nals) {
    const bytes = headerBytes[codec] + [...small, nal].reduce((sum, { length }) => sum + 2 + length, 0);
    if (bytes > style.payloadBytes) flush();
    if (nal.length > style.payloadBytes) {
      payloads.push(...fragmentsOf(codec, nal, style.payloadBytes));
    } else {
      small.push(nal);
      if (!style.aggregate) flush();
    }
  }
  flush();
  return payloads;
}

/** STAP-A (RFC 6184, 5.7.1), AP (RFC 7798, 4.4.2). */
function aggregateOf(codec: Codec, nals: readonly Buffer[]): Buffer {
  const header = codec === 'h264' ? [0x78] : [48 << 1, 1];
  const counted = nals.flatMap((nal) => [Buffer.from([nal.length >> 8, nal.length & 0xff]), nal]);
  return Buffer.concat([Buffer.from(header), ...counted]);
}

/** FU-A (RFC 6184, 5.8), FU (RFC 7798, 4.4.3). */
function fragmentsOf(codec: Codec, nal: Buffer, payloadBytes: number): Buffer[] {
  const [first = 0, second = 0] = nal;
  const [header, type] =
    codec === 'h264'
      ? [[(first & 0xe0) | 28], first & 31]
      : [[(first & 0x81) | (49 << 1), second], (first >> 1) & 0x3f];
  const body = nal.subarray(headerBytes[codec]);
  const step = payloadBytes - header.length - 1;
  return Array.from({ length: Math.ceil(body.length / step) }, (_, n) => {
    const part = body.subarray(n * step, (n + 1) * step);
    const flags = (n === 0 ? 0x80 : 0) | ((n + 1) * step >= body.length ? 0x40 : 0);
    return Buffer.concat([Buffer.from([...header, flags | type]), part]);
  });
}
