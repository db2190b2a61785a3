import { gdpSink } from './gdp.ts';
import type { PipelineDescription } from './gstreamer.ts';

/** Audio that is not AAC, as its packets bring it. */
export interface RawAudio {
  readonly codec: 'alaw' | 'mulaw' | 'l16' | 'g722' | 'g726' | 'opus' | 'mpeg';
  readonly sampleRate: number;
  readonly channels: number;
}

export interface AacFormat {
  readonly sampleRate: number;
  readonly channels: 1 | 2;
}

/** Caps, and the elements that make samples of it. */
const inputs: Readonly<Record<RawAudio['codec'], (layout: string) => readonly string[]>> = {
  alaw: (layout) => [`audio/x-alaw,${layout}`, 'alawdec'],
  mulaw: (layout) => [`audio/x-mulaw,${layout}`, 'mulawdec'],
  l16: (layout) => [`audio/x-raw,format=S16BE,layout=interleaved,${layout}`],
  g722: (layout) => [`audio/G722,${layout}`, 'avdec_g722'],
  g726: (layout) => [`audio/x-adpcm,layout=g726,bitrate=32000,${layout}`, 'avdec_g726'],
  opus: (layout) => [`audio/x-opus,channel-mapping-family=0,${layout}`, 'opusdec'],
  mpeg: () => ['audio/mpeg,mpegversion=1', 'mpegaudioparse', 'mpg123audiodec'],
};

/** Audio that a file may hold beside AAC. */
const fileAudio = ['x-alaw', 'x-mulaw', 'x-raw', 'x-opus', 'x-vorbis', 'x-flac', 'x-ac3', 'x-eac3', 'x-adpcm']
  .map((type) => `audio/${type}`)
  .concat('audio/mpeg,mpegversion=1');

/** Samples, at a rate that AAC knows. */
const toSamples = ['audioconvert', 'audioresample'];

export type FileAudioSink = 'aac' | 'converted';

/** By sink: branches of a `parsebin` that end in AAC, as the file has it or as it is made. */
export const fileAudioBranches: Readonly<Record<FileAudioSink, string>> = {
  aac: `audio/mpeg,mpegversion=4 ! clocksync ! aacparse ! audio/mpeg,stream-format=raw ! ${gdpSink('aac')}`,
  converted: [
    `capsfilter caps="${fileAudio.join(';')}"`,
    'clocksync',
    'decodebin',
    ...toSamples,
    'audio/x-raw,channels=[1,2]',
    'voaacenc bitrate=48000',
    gdpSink('converted'),
  ].join(' ! '),
};

/**
 * Measured: what is decoded of the encoder's frames is so many samples late. It is voaacenc because avenc_aac takes 11 MB
 * more for each camera, and as much time.
 */
export const encoderDelay = 1600;

/** Plenty for speech, which is what cameras hear. */
const maxChannelBitrate = 64_000;
const bitsPerSample = 3;

/**
 * From audio that is pushed into `audio` to frames of AAC in the sink `aac`. Its source makes room by dropping: a machine
 * that is too slow loses sound, not time.
 */
export function describeAudioConverter(from: RawAudio, to: AacFormat): PipelineDescription {
  const [caps = '', ...decode] = inputs[from.codec](`rate=${from.sampleRate},channels=${from.channels}`);
  const bitrate = to.channels * Math.min(bitsPerSample * to.sampleRate, maxChannelBitrate);
  const launch = [
    'appsrc name=audio format=time is-live=true leaky-type=downstream max-buffers=0 max-bytes=1048576 max-time=3000000000' +
      ` caps=${caps}`,
    ...decode,
    ...toSamples,
    `audio/x-raw,rate=${to.sampleRate},channels=${to.channels}`,
    `voaacenc bitrate=${bitrate}`,
    gdpSink('aac'),
  ].join(' ! ');
  return { launch, properties: {} };
}
