import { BitReader } from './bit-reader.ts';

/** The audio of a stream, as far as a file's header has to say it. */
export interface AudioConfig {
  readonly codec: 'aac';
  readonly sampleRate: number;
  readonly channels: number;
  /** AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1). */
  readonly specificConfig: Buffer;
  /** How many samples one frame holds, in the sample rate's ticks. */
  readonly frameTicks: number;
}

const sampleRates = [
  ...[96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000],
  ...[22_050, 16_000, 12_000, 11_025, 8000, 7350],
];
const maxConfigBytes = 64;

/** @throws {RangeError} when it is none, or of a kind that no file may hold. */
export function parseAudioConfig(specificConfig: Buffer): AudioConfig {
  const reader = new BitReader(specificConfig);
  let type = reader.bits(5);
  if (type === 31) type = 32 + reader.bits(6);
  const sampleRate = readRate(reader);
  const channels = [0, 1, 2, 3, 4, 5, 6, 8][reader.bits(4)] ?? 0;
  if (type === 0 || sampleRate === 0 || specificConfig.length > maxConfigBytes) {
    throw new RangeError('an AudioSpecificConfig');
  }
  // Spectral band replication says its own rate, and then what it is based on.
  if (type === 5 || type === 29) {
    readRate(reader);
    reader.bits(5);
  }
  const short = reader.flag();
  return {
    codec: 'aac',
    sampleRate,
    channels: channels || 2,
    specificConfig,
    frameTicks: short ? 960 : 1024,
  };
}

/**
 * AAC as an encoder is asked for it: low complexity, 1024 samples a frame.
 *
 * @throws {RangeError} for a sample rate that has no number in AAC
 */
export function makeAudioConfig(sampleRate: number, channels: 1 | 2): AudioConfig {
  const rateIndex = sampleRates.indexOf(sampleRate);
  if (rateIndex < 0) throw new RangeError('a sample rate of AAC');
  const lowComplexity = 2;
  const bits = (lowComplexity << 11) | (rateIndex << 7) | (channels << 3);
  // The end says that there is no spectral band replication, which decoders look for at low rates.
  const specificConfig = Buffer.from([bits >> 8, bits & 0xff, 0x56, 0xe5, 0]);
  return { codec: 'aac', sampleRate, channels, specificConfig, frameTicks: 1024 };
}

/** Whether AAC knows this rate, so that nothing has to be resampled. */
export function isAacRate(sampleRate: number): boolean {
  return sampleRates.includes(sampleRate);
}

function readRate(reader: BitReader): number {
  const index = reader.bits(4);
  return index === 15 ? reader.bits(24) : (sampleRates[index] ?? 0);
}
