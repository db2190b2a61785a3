import type { NalCodec } from '../codecs/nal-unit.ts';
import { CodecChange, makeCodec } from '../depayload/codec-change.ts';
import type { MediaPacket } from '../depayload/media-packet.ts';
import { NalPayload } from '../depayload/nal-payload.ts';
import { type CodedPicture, PictureAssembler } from '../depayload/picture-assembler.ts';
import { type TimeJump, TimeLine } from './time-line.ts';
import { type VideoUnit, videoTicksPerSecond } from './unit.ts';

export interface VideoTrackOptions {
  readonly codec: 'h264' | 'h265';
  /** Of the timestamps. */
  readonly ticksPerSecond: number;
  /** The parameters that the camera announced in its SDP. Those in the stream override them. */
  readonly parameterSets?: readonly Buffer[];
  readonly onUnit: (unit: VideoUnit) => void;
  readonly onJump: (jump: TimeJump) => void;
}

/** From packets, or NAL units, of one video stream to its pictures with their times. */
export class VideoTrack {
  readonly #options: VideoTrackOptions;
  readonly #timeLine: TimeLine;
  #codec: NalCodec;
  #payload: NalPayload;
  #assembler: PictureAssembler;
  #change: CodecChange;
  /** Nothing of another codec can be decoded before its first key frame. */
  #awaitsKeyFrame = false;

  constructor(options: VideoTrackOptions) {
    this.#options = options;
    this.#codec = makeCodec(options.codec);
    for (const nal of options.parameterSets ?? []) {
      if (this.#codec.read(nal).kind === 'parameters') this.#codec.store(nal);
    }
    this.#payload = new NalPayload(options.codec);
    this.#assembler = new PictureAssembler(this.#codec, (picture) => this.#take(picture));
    this.#change = new CodecChange(options.codec);
    this.#timeLine = new TimeLine(options.ticksPerSecond, options.onJump);
  }

  push(packet: MediaPacket): void {
    if (this.#change.take(packet)) {
      const { codec } = this.#change;
      if (!codec) return;
      this.#follow(codec);
    }
    const { timestamp, arrivedMs, marker } = packet;
    for (const nal of this.#payload.push(packet)) this.#assembler.push(nal, timestamp, arrivedMs);
    this.#assembler.endPacket(marker);
  }

  /** @param timestamp in ticks; @param nals of one whole picture */
  pushPicture(nals: readonly Buffer[], timestamp: number, arrivedMs: number): void {
    for (const nal of nals) this.#assembler.push(nal, timestamp, arrivedMs);
    this.#assembler.endPacket(true);
  }

  /** @returns the media time of a timestamp in microseconds; undefined before the first picture */
  mediaUs(timestamp: number): number | undefined {
    return this.#timeLine.mediaUs(timestamp);
  }

  /** No more comes: the last picture is complete. */
  flush(): void {
    this.#assembler.flush();
  }

  /** Goes on with another codec; the line of time is the same. */
  #follow(codec: NalCodec): void {
    this.#assembler.flush();
    this.#codec = codec;
    this.#payload = new NalPayload(codec.name);
    this.#assembler = new PictureAssembler(codec, (picture) => this.#take(picture));
    this.#change = new CodecChange(codec.name);
    this.#awaitsKeyFrame = true;
  }

  #take({ timestamp, arrivedMs, keyFrame, bidirectional, data, continues, config }: CodedPicture): void {
    // Nothing could be decoded without parameter sets.
    if (!config || (this.#awaitsKeyFrame && !keyFrame)) return;
    this.#awaitsKeyFrame = false;
    const { ticksPerSecond, onUnit } = this.#options;
    const ticks = continues
      ? this.#timeLine.at(timestamp)
      : this.#timeLine.place(timestamp, arrivedMs, bidirectional);
    const time = Math.round((ticks * videoTicksPerSecond) / ticksPerSecond);
    onUnit({ config, time, arrivedMs, keyFrame, data, continues });
  }
}
