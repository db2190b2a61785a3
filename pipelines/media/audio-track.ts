import { type AudioConfig, parseAudioConfig } from '../codecs/aac.ts';
import { AacPayload } from '../depayload/aac-payload.ts';
import type { MediaPacket } from '../depayload/media-packet.ts';
import { type TimeJump, TimeLine } from './time-line.ts';
import type { AudioUnit } from './unit.ts';

export interface AudioTrackOptions {
  /** Of the timestamps. */
  readonly ticksPerSecond: number;
  /** By name in lower case, as the camera's description has them. */
  readonly format: ReadonlyMap<string, string>;
  readonly onUnit: (unit: AudioUnit) => void;
  readonly onJump: (jump: TimeJump) => void;
}

/** From packets of AAC to its frames with their times. */
export class AudioTrack {
  readonly #options: AudioTrackOptions;
  readonly #config: AudioConfig;
  readonly #payload: AacPayload;
  readonly #timeLine: TimeLine;

  /** @throws {RangeError} when the description does not say what the audio is */
  constructor(options: AudioTrackOptions) {
    const { format, ticksPerSecond, onJump } = options;
    const number = (name: string) => Math.min(Math.max(Number(format.get(name) ?? 0) || 0, 0), 32);
    this.#options = options;
    this.#config = parseAudioConfig(Buffer.from(format.get('config') ?? '', 'hex'));
    const { frameTicks, sampleRate } = this.#config;
    this.#payload = new AacPayload({
      sizeLength: number('sizelength'),
      indexLength: number('indexlength'),
      indexDeltaLength: number('indexdeltalength'),
      frameTicks: (frameTicks * ticksPerSecond) / sampleRate,
    });
    this.#timeLine = new TimeLine(ticksPerSecond, onJump);
  }

  push(packet: MediaPacket): void {
    const { ticksPerSecond, onUnit } = this.#options;
    for (const { data, timestamp } of this.#payload.push(packet)) {
      const ticks = this.#timeLine.place(timestamp, packet.arrivedMs);
      const time = Math.round((ticks * this.#config.sampleRate) / ticksPerSecond);
      onUnit({ config: this.#config, time, data });
    }
  }
}
