import { BitReader } from '../codecs/bit-reader.ts';
import type { AudioFrame, AudioPayload } from './audio-payload.ts';
import type { MediaPacket } from './media-packet.ts';

/** The layout of a camera's AAC packets, from the `fmtp` line of its SDP (RFC 3640). */
export interface AacPayloadFormat {
  /** Bits of the fields before each frame; 0 where a field is left out. */
  readonly sizeLength: number;
  readonly indexLength: number;
  readonly indexDeltaLength: number;
  /** Ticks of the track's clock that one frame lasts. */
  readonly frameTicks: number;
}

const maxFrameBytes = 8192;
const maxFrames = 64;

/** Takes AAC frames out of RTP packets: several whole ones in a packet, or one in several. */
export class AacPayload implements AudioPayload {
  readonly #format: AacPayloadFormat;
  #parts: Buffer[] = [];
  #partBytes = 0;

  constructor(format: AacPayloadFormat) {
    this.#format = format;
  }

  push({ data, payloadBegin, payloadEnd, timestamp, lostBefore }: MediaPacket): AudioFrame[] {
    const payload = data.subarray(payloadBegin, payloadEnd);
    const { sizeLength, frameTicks } = this.#format;
    if (lostBefore > 0) this.#drop();
    // Without sizes each packet is one frame.
    if (sizeLength === 0) return [{ data: Buffer.from(payload), timestamp }];
    const sizes = this.#sizes(payload);
    const begin = 2 + Math.ceil((payload.length >= 2 ? payload.readUInt16BE(0) : 0) / 8);
    const [first] = sizes;
    if (first !== undefined && sizes.length === 1 && begin + first > payload.length) {
      const whole = this.#join(payload.subarray(begin), first);
      return whole ? [{ data: whole, timestamp }] : [];
    }
    this.#drop();
    const frames: AudioFrame[] = [];
    let at = begin;
    for (const [index, size] of sizes.entries()) {
      if (size === 0 || at + size > payload.length) break;
      const frame = Buffer.from(payload.subarray(at, at + size));
      frames.push({ data: frame, timestamp: timestamp + index * frameTicks });
      at += size;
    }
    return frames;
  }

  #sizes(payload: Buffer): number[] {
    const { sizeLength, indexLength, indexDeltaLength } = this.#format;
    if (payload.length < 2) return [];
    const bits = payload.readUInt16BE(0);
    const reader = new BitReader(payload.subarray(2, 2 + Math.ceil(bits / 8)));
    const sizes: number[] = [];
    let left = bits;
    try {
      while (left >= sizeLength && sizes.length < maxFrames) {
        sizes.push(reader.bits(sizeLength));
        const skipped = sizes.length === 1 ? indexLength : indexDeltaLength;
        reader.skipBits(skipped);
        left -= sizeLength + skipped;
      }
    } catch {
      return [];
    }
    return sizes;
  }

  /** @returns the frame when all of its parts have come. */
  #join(part: Buffer, size: number): Buffer | undefined {
    // The bound counts bytes, and these have none.
    if (part.length === 0) return undefined;
    this.#parts.push(Buffer.from(part));
    this.#partBytes += part.length;
    if (this.#partBytes > maxFrameBytes) this.#drop();
    if (this.#partBytes < size || this.#parts.length === 0) return undefined;
    const whole = Buffer.concat(this.#parts).subarray(0, size);
    this.#drop();
    return whole;
  }

  #drop(): void {
    this.#parts = [];
    this.#partBytes = 0;
  }
}
