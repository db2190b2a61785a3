import type { AudioFrame, AudioPayload } from './audio-payload.ts';
import type { MediaPacket } from './media-packet.ts';

export interface SamplePayloadFormat {
  /** Bytes before the audio in each packet. */
  readonly headerBytes: number;
  /** Two samples share a byte, the first in the low half; decoders want it in the high half. */
  readonly swapsNibbles: boolean;
}

/** Audio whose packets each hold nothing but audio: G.711, L16, G.722, G.726 (RFC 3551), MPEG (2250), Opus (7587). */
export class SamplePayload implements AudioPayload {
  readonly #format: SamplePayloadFormat;

  constructor(format: SamplePayloadFormat) {
    this.#format = format;
  }

  push({ data, payloadBegin, payloadEnd, timestamp }: MediaPacket): AudioFrame[] {
    const { headerBytes, swapsNibbles } = this.#format;
    const audio = data.subarray(payloadBegin + headerBytes, payloadEnd);
    if (audio.length === 0) return [];
    return [{ data: swapsNibbles ? swapped(audio) : audio, timestamp }];
  }
}

function swapped(audio: Buffer): Buffer {
  return Buffer.from(audio.map((byte) => ((byte & 0x0f) << 4) | (byte >> 4)));
}
