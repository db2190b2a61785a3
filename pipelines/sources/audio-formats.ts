import { type AudioConfig, isAacRate, makeAudioConfig, parseAudioConfig } from '../codecs/aac.ts';
import { AacPayload } from '../depayload/aac-payload.ts';
import type { AudioPayload } from '../depayload/audio-payload.ts';
import { SamplePayload } from '../depayload/sample-payload.ts';
import type { RawAudio } from '../gstreamer/audio-description.ts';
import type { RtspTrack } from '../rtsp/protocol/sdp.ts';

/** How a camera's audio becomes AAC. */
export interface AudioFormat {
  readonly payload: AudioPayload;
  /** Of what is recorded. */
  readonly config: AudioConfig;
  /** Of what comes, if that is not AAC. */
  readonly raw?: RawAudio;
}

const minRate = 8000;
const maxRate = 192_000;
const maxChannels = 8;
/** For what has a rate that AAC does not know, or says none. */
const usualRate = 48_000;

/** @returns undefined for what cannot be recorded */
export function audioFormat(track: RtspTrack): AudioFormat | undefined {
  if (track.codec === 'AAC') return aac(track);
  const raw = rawAudio(track);
  if (!raw || raw.sampleRate < minRate || raw.sampleRate > maxRate || raw.channels > maxChannels)
    return undefined;
  return {
    payload: new SamplePayload({
      headerBytes: raw.codec === 'mpeg' ? 4 : 0,
      // The ATM Forum's AAL2 packs them the other way round.
      swapsNibbles: track.codec === 'G726-32',
    }),
    config: makeAudioConfig(isAacRate(raw.sampleRate) ? raw.sampleRate : usualRate, raw.channels > 1 ? 2 : 1),
    raw,
  };
}

/** RFC 3640. */
function aac({ fmtp, clockRate }: RtspTrack): AudioFormat | undefined {
  const number = (name: string) => Math.min(Math.max(Number(fmtp.get(name) ?? 0) || 0, 0), 32);
  try {
    const config = parseAudioConfig(Buffer.from(fmtp.get('config') ?? '', 'hex'));
    const payload = new AacPayload({
      sizeLength: number('sizelength'),
      indexLength: number('indexlength'),
      indexDeltaLength: number('indexdeltalength'),
      frameTicks: (config.frameTicks * clockRate) / config.sampleRate,
    });
    return { payload, config };
  } catch {
    return undefined;
  }
}

function rawAudio({ codec, clockRate, channels = 1, fmtp }: RtspTrack): RawAudio | undefined {
  switch (codec) {
    case 'PCMA':
      return { codec: 'alaw', sampleRate: clockRate, channels: Math.min(channels, 2) };
    case 'PCMU':
      return { codec: 'mulaw', sampleRate: clockRate, channels: Math.min(channels, 2) };
    case 'L16':
      return { codec: 'l16', sampleRate: clockRate, channels };
    case 'G722':
      // Its clock has half the rate, by an error of the first standard that all keep to.
      return { codec: 'g722', sampleRate: 16_000, channels: 1 };
    case 'G726-32':
    case 'AAL2-G726-32':
      return { codec: 'g726', sampleRate: 8000, channels: 1 };
    case 'OPUS':
      return { codec: 'opus', sampleRate: usualRate, channels: fmtp.get('sprop-stereo') === '1' ? 2 : 1 };
    case 'MPA':
      return { codec: 'mpeg', sampleRate: usualRate, channels: 2 };
    default:
      return undefined;
  }
}
