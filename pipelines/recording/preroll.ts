import type { MediaFragment } from '../mp4/media-fragment.ts';

/** A fragment with its place in time. */
export interface TimedFragment extends MediaFragment {
  /**
   * When its first picture was taken, and when the first one of the next fragment was: microseconds of the monotonic clock.
   * One fragment begins when the one before it ends, or later.
   */
  readonly time: number;
  readonly endTime: number;
}

export interface PrerollBounds {
  /** How far back it reaches at least, in microseconds; more, because it begins at a key frame. */
  readonly length: number;
  readonly bytes: number;
}

/** The video just before now, from a key frame on, for a recording that begins before anybody knew it would. */
export class Preroll {
  readonly #bounds: PrerollBounds;
  #fragments: TimedFragment[] = [];
  #bytes = 0;
  #length = 0;
  #isBroken = false;

  constructor(bounds: PrerollBounds) {
    this.#bounds = bounds;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The only group was larger than may be held, and was dropped: until the next key frame, nothing is held. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  push(fragment: TimedFragment): void {
    // Without the key frame that it begins with, nothing could be decoded.
    if (this.#fragments.length === 0 && !fragment.keyFrame) return;
    this.#isBroken = false;
    this.#fragments.push(fragment);
    this.#bytes += fragment.bytes;
    this.#length += fragment.lengthUs;
    while (this.#fragments.length > 0 && this.#droppable()) this.#dropFirstGroup();
  }

  /** Everything it holds, which it then holds no longer: what was recorded once is not recorded again. */
  take(): TimedFragment[] {
    const taken = this.#fragments;
    this.#fragments = [];
    this.#bytes = 0;
    this.#length = 0;
    return taken;
  }

  /** Whether the first key frame and what depends on it may go. */
  #droppable(): boolean {
    if (this.#bytes > this.#bounds.bytes) return true;
    const next = this.#secondKeyFrame();
    if (next < 0) return false;
    const dropped = this.#fragments.slice(0, next).reduce((sum, { lengthUs }) => sum + lengthUs, 0);
    return this.#length - dropped >= this.#bounds.length;
  }

  #dropFirstGroup(): void {
    const next = this.#secondKeyFrame();
    this.#isBroken = next < 0;
    for (const { bytes, lengthUs } of this.#fragments.splice(0, next < 0 ? this.#fragments.length : next)) {
      this.#bytes -= bytes;
      this.#length -= lengthUs;
    }
  }

  #secondKeyFrame(): number {
    return this.#fragments.findIndex(({ keyFrame }, index) => index > 0 && keyFrame);
  }
}
