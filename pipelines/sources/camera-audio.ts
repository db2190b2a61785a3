import type { Log } from '../../bus/log.ts';
import type { MediaPacket } from '../depayload/media-packet.ts';
import type { AudioSync } from '../media/audio-sync.ts';
import { AudioTrack } from '../media/audio-track.ts';
import { AudioConverter } from './audio-converter.ts';
import type { AudioChoice } from './track-choice.ts';
import type { StreamHandlers } from './video-input.ts';

export interface CameraAudioOptions {
  readonly choice: AudioChoice;
  readonly sync: AudioSync;
  readonly handlers: StreamHandlers;
  readonly log: Log;
  readonly monitorID: string;
}

/** A camera's audio, as AAC. Whatever happens to it, the picture goes on. */
export class CameraAudio {
  readonly #options: CameraAudioOptions;
  readonly #track: AudioTrack;
  readonly #converter: AudioConverter | undefined;
  #hasBegun = false;

  constructor(options: CameraAudioOptions) {
    const { choice, sync, handlers } = options;
    const { config, raw } = choice.format;
    this.#options = options;
    const converter =
      raw &&
      new AudioConverter({
        ...{ from: raw, to: { sampleRate: config.sampleRate, channels: config.channels > 1 ? 2 : 1 } },
        onFrame: (data, timeUs) => this.#track.pushAac(data, timeUs),
        onFailure: (detail) => this.#fail(detail),
      });
    this.#converter = converter;
    this.#track = new AudioTrack({
      ...{ ticksPerSecond: choice.track.clockRate, config, sync },
      ...(converter && { convert: (data, timeUs) => converter.push(data, timeUs) }),
      onUnit: (unit) => handlers.onAudio(unit),
      // The video's own jump is the one to be named.
      onJump: () => {},
    });
  }

  push(packet: MediaPacket): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#options.handlers.onAudioConfig?.(this.#options.choice.format.config);
    }
    const { payload } = this.#options.choice.format;
    for (const frame of payload.push(packet)) this.#track.push(frame, packet.arrivedMs);
  }

  /** @returns the media time of a timestamp in microseconds; undefined before anything has come */
  mediaUs(timestamp: number): number | undefined {
    return this.#track.mediaUs(timestamp);
  }

  /** All that had arrived has been handed on when it resolves. */
  async close(): Promise<void> {
    await this.#converter?.close();
  }

  #fail(detail: string): void {
    const { choice, handlers, log, monitorID } = this.#options;
    log.warning(
      `audio: ${choice.track.codec} cannot be converted: ${detail}; recording without it`,
      monitorID,
    );
    handlers.onAudioConfig?.(undefined);
  }
}
