import { FrameRateLimit } from '../../bus/frame-rate-limit.ts';
import { bytesPerPixel, type Frame } from '../../bus/frames.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { readGdp } from '../gstreamer/gdp.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import { DueTimes, dueRate } from './due-times.ts';

/** A decoder that is so many key frames late is as good as stuck. */
const maxChosen = 8;
const ticksPerNs = videoTicksPerSecond / 1e9;

/** Makes frames of what one connection's `gdppay ! appsink` delivers. */
export class FrameReader {
  readonly format: FrameFormat;
  readonly #clock: Pick<MediaClock, 'at'>;
  /** Where `#due` is not enough: keeps any rate. */
  readonly #limit: FrameRateLimit;
  /** Other pictures wait where they come from, for one of these. */
  readonly #due: DueTimes;
  readonly #isLimited: boolean;
  #width = 0;
  #height = 0;
  #sequence = 0;
  #fromNs = 0;
  /** Times of pictures that will be frames, whatever the rate. */
  #chosenNs: number[] = [];
  #latestNs = 0;

  /**
   * @param rate pictures per second, 0 for every one
   * @param clock has seen the pictures arrive that these are decoded of
   */
  constructor(rate: number, format: FrameFormat, clock: Pick<MediaClock, 'at'>) {
    this.format = format;
    this.#clock = clock;
    this.#limit = new FrameRateLimit(rate);
    this.#due = new DueTimes([rate]);
    this.#isLimited = rate !== dueRate(rate);
  }

  /** Media time of the last picture that came, in nanoseconds. */
  get latestNs(): number {
    return this.#latestNs;
  }

  /** Leaves out frames taken before this moment. @param mediaNs nanoseconds of media time */
  skipUntil(mediaNs: number): void {
    this.#fromNs = mediaNs;
    this.#chosenNs = [];
  }

  /** Frames are counted anew: another connection begins. */
  restart(): void {
    this.#sequence = 0;
  }

  /**
   * Whether a picture shall be decoded and be a frame, where only few are. Called once for each, in order.
   *
   * @param nextInUs microseconds until the next of them
   */
  choose(mediaNs: number, nextInUs: number): boolean {
    if (!this.#limit.isDueBefore(mediaNs / 1000, nextInUs)) return false;
    // What is under way was not chosen, and would begin the rate anew.
    if (this.#chosenNs.length === 0) this.#fromNs = mediaNs;
    this.#chosenNs = [...this.#chosenNs, mediaNs].slice(-maxChosen);
    return true;
  }

  /** Whether a frame should have been made before this moment. */
  isOverdue(mediaNs: number): boolean {
    return this.#limit.isOverdue(mediaNs / 1000);
  }

  /** @returns undefined for what is no picture, and for pictures that come before their time. */
  read(data: Buffer): Frame | undefined {
    const packet = readGdp(data);
    if (packet?.caps !== undefined) this.#readCaps(packet.caps);
    const size = this.#width * this.#height * bytesPerPixel[this.format];
    if (packet?.data?.length !== size || size === 0) return undefined;
    const media = packet.timeNs;
    this.#latestNs = media;
    if (media < this.#fromNs || !this.#isSelected(media)) return undefined;
    return {
      format: this.format,
      width: this.#width,
      height: this.#height,
      timeUs: this.#clock.at(media / 1000),
      sequence: this.#sequence++,
      data: packet.data,
    };
  }

  #isSelected(mediaNs: number): boolean {
    const isDue = this.#due.isDue(Math.round(mediaNs * ticksPerNs));
    if (!this.#chosenNs.includes(mediaNs))
      return isDue && (!this.#isLimited || this.#limit.isDue(mediaNs / 1000));
    this.#chosenNs = this.#chosenNs.filter((chosen) => chosen > mediaNs);
    return true;
  }

  #readCaps(caps: string): void {
    this.#width = Number(/\bwidth=\(int\)(\d+)/.exec(caps)?.[1] ?? 0);
    this.#height = Number(/\bheight=\(int\)(\d+)/.exec(caps)?.[1] ?? 0);
  }
}
