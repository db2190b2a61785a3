import { type AudioConfig, parseAudioConfig } from '../codecs/aac.ts';
import { encoderDelay, type FileAudioSink } from '../gstreamer/audio-description.ts';
import { readGdp } from '../gstreamer/gdp.ts';
import type { Pipeline } from '../gstreamer/gstreamer.ts';
import type { AudioSync } from '../media/audio-sync.ts';
import { AudioTrack } from '../media/audio-track.ts';
import type { StreamHandlers } from './video-input.ts';

/** The audio of a file, from one sink of the pipeline that plays it. */
export class FileAudio {
  readonly #sink: FileAudioSink;
  readonly #sync: AudioSync;
  readonly #handlers: StreamHandlers;
  #config: AudioConfig | undefined;
  #track: AudioTrack | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(sink: FileAudioSink, sync: AudioSync, handlers: StreamHandlers) {
    this.#sink = sink;
    this.#sync = sync;
    this.#handlers = handlers;
  }

  get hasBegun(): boolean {
    return this.#track !== undefined;
  }

  /** Resolves at the end of the audio; at once if none has come. */
  get ended(): Promise<void> {
    return this.hasBegun ? this.#ended : Promise.resolve();
  }

  /** @returns resolves when there is no more, or the pipeline is closed */
  pull(pipeline: Pipeline): Promise<void> {
    this.#ended = pipeline.pull(this.#sink, (packet) => {
      const { caps, data, timeNs = 0 } = readGdp(packet) ?? {};
      if (caps !== undefined) this.#begin(caps);
      else if (data) this.#take(Buffer.from(data), timeNs);
    });
    return this.#ended;
  }

  #begin(caps: string): void {
    const [, specificConfig] = /\bcodec_data=\(buffer\)([0-9a-f]+)/i.exec(caps) ?? [];
    if (this.#track || specificConfig === undefined) return;
    const config = parseAudioConfig(Buffer.from(specificConfig, 'hex'));
    this.#config = config;
    this.#track = new AudioTrack({
      ...{ ticksPerSecond: config.sampleRate, config, sync: this.#sync },
      onUnit: (unit) => this.#handlers.onAudio(unit),
      onJump: () => {},
    });
    this.#handlers.onAudioConfig?.(config);
  }

  #take(data: Buffer, timeNs: number): void {
    if (!this.#config || !this.#track) return;
    const { sampleRate } = this.#config;
    const ticks = Math.round((timeNs / 1e9) * sampleRate);
    const timestamp = this.#sink === 'converted' ? ticks - encoderDelay : ticks;
    this.#track.push({ data, timestamp }, performance.now());
    this.#sync.report('audio', this.#track.mediaUs(timestamp), (timestamp * 1e6) / sampleRate);
  }
}
