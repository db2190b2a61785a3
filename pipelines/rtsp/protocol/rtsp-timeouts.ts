/** How long each wait may last, in milliseconds. */
export interface RtspTimeouts {
  /** For the TCP connection, with its name lookup and TLS handshake. */
  readonly connectMs: number;
  /** For the answer to each request. */
  readonly answerMs: number;
  /** After PLAY, for the first packet of video (of anything, where no video is set up). */
  readonly firstPacketMs: number;
  /** And for each further one. */
  readonly silenceMs: number;
}
