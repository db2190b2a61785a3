/** The parts of an RTP packet from which its media is taken. */
export interface MediaPacket {
  /** The whole packet. It may share the memory of others, so it is held until its picture is complete, no longer. */
  readonly data: Buffer;
  readonly payloadBegin: number;
  readonly payloadEnd: number;
  /** Of video: the last packet of a picture, if the camera is right. */
  readonly marker: boolean;
  /** In ticks of the track's clock, without wraps. */
  readonly timestamp: number;
  /** `performance.now()` at its arrival. */
  readonly arrivedMs: number;
  /** How many packets are missing before this one. */
  readonly lostBefore: number;
}
