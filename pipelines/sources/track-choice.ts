import type { RtspTrack } from '../rtsp/protocol/sdp.ts';

/** Which of a camera's tracks are asked for. */

const videoCodecs = { H264: 'h264', H265: 'h265' } as const;

export interface VideoChoice {
  readonly track: RtspTrack;
  readonly codec: 'h264' | 'h265';
}

/** The first that can be recorded: cameras name their best one first. */
export function chooseVideo(tracks: readonly RtspTrack[]): VideoChoice | undefined {
  for (const track of tracks) {
    const codec = track.media === 'video' && videoCodecs[track.codec as keyof typeof videoCodecs];
    if (codec) return { track, codec };
  }
  return undefined;
}

export function chooseAudio(tracks: readonly RtspTrack[]): RtspTrack | undefined {
  return tracks.find(({ media, codec, fmtp }) => media === 'audio' && codec === 'AAC' && fmtp.has('config'));
}

/** Parameter sets that the description announces: `sprop-parameter-sets` (RFC 6184), `sprop-vps` … (RFC 7798). */
export function announcedParameterSets({ fmtp }: RtspTrack): Buffer[] {
  const names = ['sprop-parameter-sets', 'sprop-vps', 'sprop-sps', 'sprop-pps'];
  return names
    .flatMap((name) => (fmtp.get(name) ?? '').split(','))
    .map((text) => Buffer.from(text, 'base64'))
    .filter(({ length }) => length > 2);
}
