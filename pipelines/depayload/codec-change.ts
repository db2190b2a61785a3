import { H264Codec } from '../codecs/h264.ts';
import { H265Codec } from '../codecs/h265.ts';
import type { NalCodec } from '../codecs/nal-unit.ts';
import type { MediaPacket } from './media-packet.ts';
import { NalPayload } from './nal-payload.ts';

/**
 * By codec, the packets that hold its parameter sets and that no camera sends of the other codec.
 *
 * H.265: VPS, SPS, PPS and aggregates of the base layer; the same bytes are data partitions or reserved in H.264.
 * H.264: SPS, aggregates and PPS; the same bytes are H.265's layers from 32 on, or reserved. 0x28 is an H.264 PPS and
 * an H.265 IDR picture, whose second byte is a small number.
 */
const isParameterPacket: Readonly<Record<NalCodec['name'], (first: number, second: number) => boolean>> = {
  h264: (first, second) => {
    const type = first & 0x1f;
    return first < 0x80 && first >= 0x20 && (type === 7 || type === 24 || (type === 8 && second >= 8));
  },
  h265: (first, second) => [0x40, 0x42, 0x44, 0x60].includes(first) && second === 1,
};

/** @returns the codec, with no parameter sets in it yet. */
export function makeCodec(name: NalCodec['name']): NalCodec {
  return name === 'h264' ? new H264Codec() : new H265Codec();
}

/**
 * Notices that a camera sends the other codec, as some do in the same session when their settings are changed: by
 * all of its parameter sets, which come before its first key frame.
 */
export class CodecChange {
  readonly #other: NalCodec;
  readonly #payload: NalPayload;

  constructor(current: NalCodec['name']) {
    this.#other = makeCodec(current === 'h264' ? 'h265' : 'h264');
    this.#payload = new NalPayload(this.#other.name);
  }

  /** The other codec with its parameter sets, once they have all come. */
  get codec(): NalCodec | undefined {
    return this.#other.config && this.#other;
  }

  /** @returns whether the packet is of the other codec, and nothing for the current one. */
  take(packet: MediaPacket): boolean {
    const { data, payloadBegin, payloadEnd } = packet;
    if (payloadEnd - payloadBegin < 3) return false;
    const [first = 0, second = 0] = [data[payloadBegin], data[payloadBegin + 1]];
    if (!isParameterPacket[this.#other.name](first, second)) return false;
    for (const nal of this.#payload.push(packet)) {
      if (this.#other.read(nal).kind === 'parameters') this.#other.store(nal);
    }
    return true;
  }
}
