/** RTP and RTCP as a camera writes it, for cameras made of a few lines. */

export interface WrittenPacket {
  readonly payloadType?: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly marker?: boolean;
  readonly ssrc?: number;
  /** Contributing sources. */
  readonly csrcs?: readonly number[];
  /** The words of a header extension. */
  readonly extension?: readonly number[];
  /** Bytes of padding, the one that counts them included. */
  readonly padding?: number;
}

const ssrcOfTests = 0x5e_77_1b_05;

export function writeRtp(packet: WrittenPacket): Buffer {
  const { payloadType = 96, sequence, timestamp, payload, marker = false, ssrc = ssrcOfTests } = packet;
  const { csrcs = [], extension, padding = 0 } = packet;
  const head = Buffer.alloc(12);
  head[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extension ? 0x10 : 0) | csrcs.length;
  head[1] = (marker ? 0x80 : 0) | payloadType;
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(timestamp >>> 0, 4);
  head.writeUInt32BE(ssrc, 8);
  const end = Buffer.alloc(padding);
  if (padding > 0) end[padding - 1] = padding;
  const words = extension ? [0xbede0000 + extension.length, ...extension] : [];
  return Buffer.concat([head, ...[...csrcs, ...words].map(word), payload, end]);
}

/** @param unixMs the camera's clock at `timestamp`. */
export function writeSenderReport(unixMs: number, timestamp: number, ssrc = ssrcOfTests): Buffer {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs % 1000) / 1000) * 2 ** 32);
  const words = [ssrc, (seconds + 2_208_988_800) % 2 ** 32, fraction, timestamp >>> 0, 0, 0];
  return Buffer.concat([0x80c8_0006, ...words].map(word));
}

function word(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value >>> 0);
  return data;
}
