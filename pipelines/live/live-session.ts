import { randomText } from '../../bus/base/random.ts';
import type { LivePacket } from '../../bus/packets/live-packet.ts';
import type { AudioConfig } from '../codecs/aac.ts';
import { DecodeTimes } from '../media/decode-times.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { type AudioUnit, type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import { type Layout, makeLayout, makeSoundInit } from '../mp4/init-segment.ts';
import { movieFragment } from '../mp4/movie-fragment.ts';
import { mimeType, soundMimeType } from './mime-type.ts';

export interface LiveSessionOptions {
  /** The last group of pictures, from its key frame on; not empty. */
  readonly units: readonly VideoUnit[];
  /** As far as it is known. */
  readonly audio: AudioConfig | undefined;
  /** Has seen the pictures arrive. */
  readonly clock: Pick<MediaClock, 'at'>;
  readonly onPacket: (packet: LivePacket) => void;
}

/** Times in the fragments are so much later, because decode times may lie before the session's media time. */
const originTicks = -100 * videoTicksPerSecond;
/** Of the first picture, as long as there is no other. */
const usualDurationTicks = videoTicksPerSecond / 25;
/** Players drop pictures up to the next key frame where decode times step further than so many durations. */
const maxDurations = 2;
/** After such a pause a key frame may leave a hole. */
const maxPauseTicks = videoTicksPerSecond;
const maxGroupBytes = 32 * 1024 * 1024;
const idLength = 12;

/**
 * A stream as it is sent to its viewers while its format stays the same: a fragment for each picture, at once. How
 * long a picture lasts is known with the next one only, so each is given the usual distance of two.
 */
export class LiveSession {
  readonly #options: LiveSessionOptions;
  readonly #layout: Layout;
  readonly #id = randomText(idLength);
  readonly #times = new DecodeTimes();
  /** Since the last key frame; empty when there was too much. */
  #group: LivePacket[] = [];
  #groupBytes = 0;
  #audio: AudioConfig | undefined;
  #sequence = 0;
  #soundSequence = 0;
  #lastTicks: number | undefined;
  #isReplayDue = false;

  constructor(options: LiveSessionOptions) {
    const { units } = options;
    this.#options = options;
    this.#audio = options.audio;
    this.#layout = makeLayout((units[0] as VideoUnit).config, undefined);
    for (const { time } of units) this.#times.learn(time);
    for (const unit of units) this.#keep(this.#packet(unit));
    this.replay();
  }

  /** Whether a picture belongs to it: the format may change with a key frame. */
  fits({ keyFrame, config }: VideoUnit): boolean {
    return !keyFrame || config === this.#layout.video;
  }

  push(unit: VideoUnit): void {
    this.#times.learn(unit.time);
    const packet = this.#packet(unit);
    this.#keep(packet);
    if (this.#isReplayDue && unit.keyFrame) this.replay();
    else this.#options.onPacket(packet);
  }

  /** Sound is known only now, or is another. */
  setAudio(config: AudioConfig): void {
    this.#audio = config;
    this.replay();
  }

  pushSound({ config, time, data }: AudioUnit): void {
    const sample = {
      decodeTime: time,
      duration: config.frameTicks,
      compositionOffset: 0,
      keyFrame: true,
      data,
    };
    const fragment = { layout: { ...this.#layout, audio: config }, video: [], audio: [sample] };
    const mediaUs = Math.round((time * 1e6) / config.sampleRate);
    this.#soundSequence += 1;
    this.#options.onPacket({
      ...{ kind: 'sound', session: this.#id, sequence: this.#soundSequence, remaining: 0, keyFrame: false },
      ...this.#timesOf(mediaUs),
      data: Buffer.concat(movieFragment(fragment, this.#soundSequence, originTicks)),
    });
  }

  /** Publishes the whole last group again, or the next one when this one was too large to be kept. */
  replay(): void {
    const [first] = this.#group;
    this.#isReplayDue = first === undefined;
    if (!first) return;
    const { onPacket } = this.#options;
    const { codec, width, height } = this.#layout.video;
    const audio = this.#audio;
    const sound = audio && { mime: soundMimeType(audio), init: makeSoundInit(audio).toString('base64') };
    const mime = mimeType(this.#layout.video);
    const format = { mime, codec, width, height, ...(sound && { sound }) };
    const count = this.#group.length;
    onPacket({ ...first, kind: 'start', remaining: count, format, data: this.#layout.init });
    for (const [index, packet] of this.#group.entries())
      onPacket({ ...packet, remaining: count - 1 - index });
  }

  end(): void {
    const fields = { sequence: this.#sequence + 1, remaining: 0, keyFrame: false, mediaUs: 0, timeUs: 0 };
    this.#options.onPacket({ kind: 'end', session: this.#id, ...fields, data: Buffer.alloc(0) });
  }

  #packet({ time, keyFrame, data }: VideoUnit): LivePacket {
    this.#sequence += 1;
    const { period } = this.#times;
    const duration = period > 1 ? period : usualDurationTicks;
    const decodeTime = this.#bounded(this.#times.next(time), duration, keyFrame);
    this.#lastTicks = decodeTime;
    const sample = { decodeTime, duration, compositionOffset: time - decodeTime, keyFrame, data };
    const fragment = { layout: this.#layout, video: [sample], audio: [] };
    return {
      ...{ kind: 'picture', session: this.#id, sequence: this.#sequence, remaining: 0, keyFrame },
      ...this.#timesOf(microseconds(time)),
      data: Buffer.concat(movieFragment(fragment, this.#sequence, originTicks)),
    };
  }

  #timesOf(mediaUs: number): Pick<LivePacket, 'mediaUs' | 'timeUs'> {
    return { mediaUs: mediaUs - microseconds(originTicks), timeUs: this.#options.clock.at(mediaUs) };
  }

  /** Only decode times are moved: what is shown when is not. */
  #bounded(decodeTime: number, duration: number, keyFrame: boolean): number {
    if (this.#lastTicks === undefined) return decodeTime;
    if (keyFrame && decodeTime - this.#lastTicks > maxPauseTicks) return decodeTime;
    return Math.min(decodeTime, this.#lastTicks + maxDurations * duration);
  }

  #keep(packet: LivePacket): void {
    if (packet.keyFrame) {
      this.#group = [];
      this.#groupBytes = 0;
    } else if (this.#group.length === 0) return;
    this.#group.push(packet);
    this.#groupBytes += packet.data.length;
    if (this.#groupBytes > maxGroupBytes) this.#group = [];
  }
}

function microseconds(ticks: number): number {
  return Math.round((ticks * 1e6) / videoTicksPerSecond);
}
