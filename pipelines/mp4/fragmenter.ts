import type { AudioConfig } from '../codecs/aac.ts';
import { DecodeTimes } from '../media/decode-times.ts';
import { type AudioUnit, type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import { type Layout, makeLayout } from './init-segment.ts';
import type { MediaFragment, Sample } from './media-fragment.ts';

/** A fragment ends at the next key frame, when it is cut, and after a second. */
const fragmentTicks = videoTicksPerSecond;
/**
 * The first fragment of all ends after so many pictures once it is known whether audio comes, so that a recording is
 * on disk soon after the first key frame. The pictures up to then show in which order they are sent.
 */
const firstPictures = 3;
/** A picture that has been the only one for so long may be cut off, if the next is not expected sooner. */
const minAloneMs = 500;
/** Of `moof` and of each sample in it. */
const headerBytes = 200;
const sampleHeaderBytes = 16;
/**
 * How long the pictures before a key frame wait for their audio: a file may end there, and the next one cannot hold audio from
 * before its beginning. A frame of audio is complete, and converted, up to a third of a second after its first sample.
 */
const maxAudioDelayMs = 500;
const maxAudioDelayTicks = (maxAudioDelayMs * videoTicksPerSecond) / 1000;
/** Audio frames held while no picture comes: half a minute of the shortest frames. */
const maxAudioUnits = 2000;

/** Audio that has not come for so long has ended. Players wait for a track that a file's header promises. */
const maxSilenceTicks = 30 * videoTicksPerSecond;

export interface FragmenterOptions {
  readonly onFragment: (fragment: MediaFragment) => void;
  /** Called when the layout changes, so that the next fragment begins another file; also before the first fragment. */
  readonly onLayout: (layout: Layout, before: Layout | undefined) => void;
}

/**
 * Makes fragments of pictures and audio as they come, with everything about them known: a fragment is complete with
 * the first picture after it. Audio is taken as it comes; nothing waits for it, but for half a second what a key frame ends.
 */
export class Fragmenter {
  readonly #options: FragmenterOptions;
  readonly #times = new DecodeTimes();
  #video: VideoUnit[] = [];
  /** So many of them, before a key frame, are complete but for audio that is still on its way; 0 where none waits. */
  #waiting = 0;
  #audio: AudioUnit[] = [];
  #audioConfig: AudioConfig | undefined;
  #isVideoOnly = false;
  /** Time of the last picture. */
  #newestTime: number | undefined;
  /** Time of the picture with which audio came last; undefined if it has only been announced. */
  #heardAt: number | undefined;
  /** To where the audio has come, in ticks of video; far back where none has. */
  #audioUntil = Number.NEGATIVE_INFINITY;
  #layout: Layout | undefined;
  /** Decode time of the first picture in `#video`; of the very first one it is made when some more are known. */
  #decodeTime: number | undefined;

  constructor(options: FragmenterOptions) {
    this.#options = options;
  }

  pushVideo(unit: VideoUnit): void {
    const [first] = this.#video;
    const last = this.#video.at(-1);
    if (unit.continues) {
      if (last) this.#video[this.#video.length - 1] = joined(last, unit);
      return;
    }
    // Nothing can be decoded before the first key frame.
    if (!first && !this.#layout && !unit.keyFrame) return;
    this.#times.learn(unit.time);
    this.#video.push(unit);
    const ending = this.#video[this.#waiting];
    if (ending && (unit.keyFrame || unit.time - ending.time >= maxAudioDelayTicks)) this.#endWait();
    if (this.#waiting === 0) this.#closeBefore(unit);
    this.#newestTime = unit.time;
  }

  pushAudio(unit: AudioUnit): void {
    if (this.#newestTime === undefined || this.#audio.length >= maxAudioUnits) return;
    this.#audioConfig = unit.config;
    this.#heardAt = this.#newestTime;
    this.#audio.push(unit);
    const { sampleRate, frameTicks } = unit.config;
    this.#audioUntil = ((unit.time + frameTicks) * videoTicksPerSecond) / sampleRate;
    const ending = this.#video[this.#waiting];
    if (ending && !this.#isBehind(ending)) this.#endWait();
  }

  /** Files that begin from now on have audio of this kind, if it has not come yet; or none. */
  setAudioConfig(config: AudioConfig | undefined): void {
    this.#audioConfig = config;
    this.#heardAt = undefined;
    this.#audioUntil = Number.NEGATIVE_INFINITY;
  }

  /** No audio will come: the first fragment need not wait for it. */
  expectNoAudio(): void {
    this.#isVideoOnly = true;
  }

  /** When the oldest picture that is in no fragment yet arrived, by `performance.now()`. */
  get heldSinceMs(): number | undefined {
    return this.#video[0]?.arrivedMs;
  }

  /**
   * Makes a fragment of what is there, but for the last picture: how long it lasts is known with the next one only. Of a camera
   * whose pictures are far apart, the last one gets the usual length.
   */
  cut(): void {
    const last = this.#video.at(-1);
    // Files that begin now would be without the audio that may still come.
    if (!last || !this.#layout) return;
    const before = this.#video[this.#waiting - 1];
    if (before && performance.now() - before.arrivedMs < maxAudioDelayMs) {
      // The one before the key frame is not old yet: the audio comes with it.
      const count = this.#waiting - 1;
      this.#waiting = 1;
      this.#close(count);
      return;
    }
    this.#endWait();
    if (this.#video.length > 1) {
      this.#close(this.#video.length - 1);
    } else if (this.#isSlow && performance.now() - last.arrivedMs >= minAloneMs) {
      this.#close(1, () => this.#times.promise());
      this.#decodeTime = undefined;
    }
  }

  /** Makes a fragment of what is left. */
  end(): void {
    this.#endWait();
    this.#close(this.#video.length);
  }

  get #isSlow(): boolean {
    return this.#times.period >= (minAloneMs * videoTicksPerSecond) / 1000;
  }

  /** Makes a fragment of what came before this picture, if it ends with it and its audio is there. */
  #closeBefore(unit: VideoUnit): void {
    const [first] = this.#video;
    const count = this.#video.length - 1;
    if (!first || count === 0) return;
    const isFull = unit.keyFrame || unit.time - first.time >= fragmentTicks;
    if (unit.keyFrame && this.#isBehind(unit)) this.#waiting = count;
    else if (isFull || this.#isFirst(count)) this.#close(count);
  }

  /** The pictures before a key frame wait no longer. */
  #endWait(): void {
    const count = this.#waiting;
    this.#waiting = 0;
    if (count > 0) this.#close(count);
  }

  /** Its audio is on its way, but not for longer than it is waited for. */
  #isBehind({ time }: VideoUnit): boolean {
    const behind = time - this.#audioUntil;
    return this.#layout?.audio !== undefined && behind > 0 && behind <= maxAudioDelayTicks;
  }

  /** @param count how many pictures it would have */
  #isFirst(count: number): boolean {
    const isAudioKnown = this.#isVideoOnly || this.#audioConfig !== undefined;
    return this.#layout === undefined && count >= firstPictures && isAudioKnown;
  }

  /**
   * Makes a fragment of the first pictures.
   *
   * @param endOf its end where that is not the decode time of the next one; asked once those of its own are known
   */
  #close(count: number, endOf?: () => number): void {
    const [first, ...others] = this.#video.slice(0, count);
    if (!first) return;
    const next = this.#video[count];
    if (first.keyFrame) this.#choose(first);
    const layout = this.#layout ?? this.#choose(first);
    const begin = this.#decodeTime ?? this.#times.next(first.time);
    const decodeTimes = [begin, ...others.map(({ time }) => this.#times.next(time))];
    const usualEnd = () => (decodeTimes.at(-1) ?? begin) + this.#times.period;
    const end = endOf?.() ?? (next ? this.#times.next(next.time) : usualEnd());
    const video = [first, ...others].map((unit, index): Sample => {
      const decodeTime = decodeTimes[index] ?? begin;
      const { keyFrame, data, time } = unit;
      const duration = (decodeTimes[index + 1] ?? end) - decodeTime;
      return { decodeTime, duration, compositionOffset: time - decodeTime, keyFrame, data };
    });
    // Another file may begin at a key frame, and has the audio from there on.
    const isLater = ({ time, config: { sampleRate } }: AudioUnit) =>
      next?.keyFrame === true && time >= Math.round((end * sampleRate) / videoTicksPerSecond);
    const audio = audioSamples(this.#audio.filter((unit) => unit.config === layout.audio && !isLater(unit)));
    this.#video = this.#video.slice(count);
    this.#audio = this.#audio.filter(isLater);
    this.#decodeTime = end;
    const samples = [...video, ...audio];
    this.#options.onFragment({
      ...{ layout, keyFrame: first.keyFrame, video, audio },
      startUs: microseconds(begin),
      lengthUs: microseconds(end) - microseconds(begin),
      shownUs: microseconds(first.time),
      bytes: samples.reduce((sum, { data }) => sum + data.length + sampleHeaderBytes, headerBytes),
    });
  }

  /** Audio belongs to a file if it has been heard by the end of the first fragment. */
  #choose({ config, time }: VideoUnit): Layout {
    const before = this.#layout;
    this.#heardAt ??= time;
    if (time - this.#heardAt > maxSilenceTicks) this.#audioConfig = undefined;
    if (before && before.video === config && before.audio === this.#audioConfig) return before;
    this.#layout = makeLayout(config, this.#audioConfig);
    this.#options.onLayout(this.#layout, before);
    return this.#layout;
  }
}

function joined(unit: VideoUnit, rest: VideoUnit): VideoUnit {
  return { ...unit, data: Buffer.concat([unit.data, rest.data]) };
}

function audioSamples(units: readonly AudioUnit[]): Sample[] {
  return units.map(({ time, data, config }, index) => {
    const duration = Math.max(1, (units[index + 1]?.time ?? time + config.frameTicks) - time);
    return { decodeTime: time, duration, compositionOffset: 0, keyFrame: true, data };
  });
}

function microseconds(ticks: number): number {
  return Math.round((ticks * 1e6) / videoTicksPerSecond);
}
