import type { RtspTrack } from '../rtsp/protocol/sdp.ts';
import { type AudioFormat, audioFormat } from './audio-formats.ts';

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

export interface AudioChoice {
  readonly track: RtspTrack;
  readonly format: AudioFormat;
}

/** AAC is recorded as it is; without it, the first that can be converted. */
export function chooseAudio(tracks: readonly RtspTrack[]): AudioChoice | undefined {
  const choices = tracks
    .filter(({ media }) => media === 'audio')
    .flatMap((track) => {
      const format = audioFormat(track);
      return format ? [{ track, format }] : [];
    });
  return choices.find(({ format }) => !format.raw) ?? choices[0];
}

/** Parameter sets that the description announces: `sprop-parameter-sets` (RFC 6184), `sprop-vps` … (RFC 7798). */
export function announcedParameterSets({ fmtp }: RtspTrack): Buffer[] {
  const names = ['sprop-parameter-sets', 'sprop-vps', 'sprop-sps', 'sprop-pps'];
  return names
    .flatMap((name) => (fmtp.get(name) ?? '').split(','))
    .map((text) => Buffer.from(text, 'base64'))
    .filter(({ length }) => length > 2);
}
