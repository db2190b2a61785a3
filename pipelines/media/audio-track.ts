import type { AudioConfig } from '../codecs/aac.ts';
import type { AudioFrame } from '../depayload/audio-payload.ts';
import type { AudioSync } from './audio-sync.ts';
import { type TimeJump, TimeLine } from './time-line.ts';
import type { AudioUnit } from './unit.ts';

export interface AudioTrackOptions {
  /** Of the timestamps. */
  readonly ticksPerSecond: number;
  /** Of what is recorded. */
  readonly config: AudioConfig;
  readonly sync: AudioSync;
  /**
   * Makes AAC of what comes, if that is something else, and gives it to `pushAac`. @param timeUs media time
   */
  readonly convert?: (data: Buffer, timeUs: number) => void;
  readonly onUnit: (unit: AudioUnit) => void;
  readonly onJump: (jump: TimeJump) => void;
}

/** From frames of audio to frames of AAC with their times. */
export class AudioTrack {
  readonly #options: AudioTrackOptions;
  readonly #timeLine: TimeLine;
  #last = Number.NEGATIVE_INFINITY;

  constructor(options: AudioTrackOptions) {
    this.#options = options;
    this.#timeLine = new TimeLine(options.ticksPerSecond, options.onJump);
  }

  push({ data, timestamp }: AudioFrame, arrivedMs: number): void {
    const { ticksPerSecond, convert } = this.#options;
    const timeUs = (this.#timeLine.place(timestamp, arrivedMs) * 1e6) / ticksPerSecond;
    if (convert) convert(data, timeUs);
    else this.pushAac(data, timeUs);
  }

  /** @param timeUs media time as the track's packets have it */
  pushAac(data: Buffer, timeUs: number): void {
    const { config, sync, onUnit } = this.#options;
    const time = Math.round((sync.correct(timeUs) * config.sampleRate) / 1e6);
    // Where the sound is put back, what has been recorded already is not recorded again.
    if (time <= this.#last) return;
    this.#last = time;
    onUnit({ config, time, data });
  }

  /** @returns the media time of a timestamp in microseconds; undefined before anything has come */
  mediaUs(timestamp: number): number | undefined {
    return this.#timeLine.mediaUs(timestamp);
  }
}
