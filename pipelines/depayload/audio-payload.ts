import type { MediaPacket } from './media-packet.ts';

/** A piece of audio as it was encoded: a frame of AAC, or as many samples as a packet holds. */
export interface AudioFrame {
  readonly data: Buffer;
  /** In ticks of the track's clock. */
  readonly timestamp: number;
}

/** How a codec's audio is laid into RTP packets. */
export interface AudioPayload {
  /** @returns the frames that this packet completes */
  push(packet: MediaPacket): AudioFrame[];
}
