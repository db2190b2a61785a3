/** One packet of a track, as it came. */
export interface RtpPacket {
  /** The whole packet, header included. It shares the memory of what was read together with it: hold it briefly. */
  readonly data: Buffer;
  /** Where in `data` the payload is. */
  readonly payloadBegin: number;
  readonly payloadEnd: number;
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequence: number;
  /** In ticks of the track's clock, without the wraps at 32 bits. It goes back only where the camera does. */
  readonly timestamp: number;
  readonly ssrc: number;
  /** `performance.now()` at its arrival. */
  readonly arrivedMs: number;
  /** How many packets are missing before this one. */
  readonly lostBefore: number;
}

export type NewRtpPacket = { -readonly [Key in keyof RtpPacket]: RtpPacket[Key] };

const headerBytes = 12;

/** @returns undefined for what is no RTP packet. `timestamp` has 32 bits yet. */
export function parseRtp(data: Buffer, arrivedMs: number): NewRtpPacket | undefined {
  if (data.length < headerBytes) return undefined;
  const first = data.readUInt8(0);
  if (first >> 6 !== 2) return undefined;
  let begin = headerBytes + 4 * (first & 0x0f);
  if (first & 0x10) {
    if (data.length < begin + 4) return undefined;
    begin += 4 + 4 * data.readUInt16BE(begin + 2);
  }
  const padding = first & 0x20 ? data.readUInt8(data.length - 1) : 0;
  const end = data.length - padding;
  if (begin > end || ((first & 0x20) !== 0 && padding === 0)) return undefined;
  const second = data.readUInt8(1);
  return {
    data,
    payloadBegin: begin,
    payloadEnd: end,
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequence: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    arrivedMs,
    lostBefore: 0,
  };
}

/** How far `b` is after `a`, both of 16 bits: from -32768 to 32767. */
export function sequenceDistance(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/** Continues a counter of 32 bits without its wraps. */
export class TimestampUnwrapper {
  #last: number | undefined;

  /** @returns the number nearest to the last one whose low 32 bits are these. */
  unwrap(raw: number): number {
    this.#last = this.near(raw);
    return this.#last;
  }

  /** As `unwrap`, for a time that is not the newest. */
  near(raw: number): number {
    this.#last ??= raw;
    return this.#last + ((raw - this.#last) | 0);
  }
}
