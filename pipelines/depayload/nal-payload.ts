import { FragmentedNal } from './fragmented-nal.ts';
import type { MediaPacket } from './media-packet.ts';

/** How a codec's NAL units are laid into packets. */
interface PayloadFormat {
  /** Bytes of a NAL unit's header, which each packet begins with. */
  readonly headerBytes: number;
  readonly type: (first: number) => number;
  /** Types of packets that hold several whole NAL units, each after its length, and what is before the first. */
  readonly aggregates: ReadonlyMap<number, number>;
  /** Types of packets that hold a part of a NAL unit. */
  readonly fragments: ReadonlySet<number>;
  /** The header of the NAL unit whose type is in the byte after the packet's header. */
  readonly restoreHeader: (first: number, second: number, type: number) => Buffer;
  readonly typeMask: number;
}

/** RFC 6184. Interleaved modes are not asked for and not used by cameras. */
const h264: PayloadFormat = {
  headerBytes: 1,
  type: (first) => first & 0x1f,
  aggregates: new Map([[24, 1]]),
  fragments: new Set([28]),
  restoreHeader: (first, _second, type) => Buffer.from([(first & 0xe0) | type]),
  typeMask: 0x1f,
};

/** RFC 7798, without decoding order numbers, which are not asked for. */
const h265: PayloadFormat = {
  headerBytes: 2,
  type: (first) => (first >> 1) & 0x3f,
  aggregates: new Map([[48, 2]]),
  fragments: new Set([49]),
  restoreHeader: (first, second, type) => Buffer.from([(first & 0x81) | (type << 1), second]),
  typeMask: 0x3f,
};

const none: readonly Buffer[] = [];

/** Takes the NAL units out of RTP packets. What is not whole is left out. */
export class NalPayload {
  readonly #format: PayloadFormat;
  readonly #fragmented = new FragmentedNal();

  constructor(codec: 'h264' | 'h265') {
    this.#format = codec === 'h264' ? h264 : h265;
  }

  /** @returns the NAL units that this packet completes; they may share its memory. To be used before the next packet. */
  push(packet: MediaPacket): readonly Buffer[] {
    const { headerBytes, aggregates, fragments, type } = this.#format;
    const { data, payloadBegin, payloadEnd } = packet;
    if (packet.lostBefore > 0) this.#fragmented.drop();
    if (payloadEnd - payloadBegin <= headerBytes) return none;
    const of = type(data[payloadBegin] ?? 0);
    if (fragments.has(of)) return this.#pushFragment(packet);
    this.#fragmented.drop();
    const payload = data.subarray(payloadBegin, payloadEnd);
    const begin = aggregates.get(of);
    return begin === undefined ? [payload] : unpack(payload, begin);
  }

  #pushFragment({ data, payloadBegin, payloadEnd }: MediaPacket): readonly Buffer[] {
    const { headerBytes, restoreHeader, typeMask } = this.#format;
    const [first = 0, second = 0] = [data[payloadBegin], data[payloadBegin + 1]];
    const info = data[payloadBegin + headerBytes] ?? 0;
    if ((info & 0x80) !== 0) this.#fragmented.begin(restoreHeader(first, second, info & typeMask));
    const begin = payloadBegin + headerBytes + 1;
    const nal = this.#fragmented.push(data, begin, payloadEnd, (info & 0x40) !== 0);
    return nal ? [nal] : none;
  }
}

function unpack(payload: Buffer, begin: number): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = begin; at + 2 <= payload.length; ) {
    const length = payload.readUInt16BE(at);
    const end = at + 2 + length;
    if (length === 0 || end > payload.length) break;
    nals.push(payload.subarray(at + 2, end));
    at = end;
  }
  return nals;
}
