/** Motion between two frames, and what is done about it. Times are Unix times in microseconds. */
export interface FoundMotion {
  /** Capture time of the frame before. */
  readonly sinceUs: number;
  readonly timeUs: number;
  /** Called once, or never if it will be found again in the frames between them. */
  readonly publish: () => void;
}

interface Withheld extends FoundMotion {
  /** What it was found in is being decoded whole. */
  readonly isUnderWay: boolean;
}

/** What comes again is there sooner; a camera whose cable is cut sends nothing any more. */
const maxHeldMs = 5000;
/** More key frames do not come in that time. */
const maxHeld = 100;
/** The same moment is told with such a difference later: the clock that maps the camera's times follows the arrivals. */
export const sameMomentUs = 20_000;

/**
 * Motion that two key frames show while others are on their way that will show when it began. Where these do not come, or not
 * all of them, it is published after all.
 */
export class WithheldMotion {
  #held: readonly Withheld[] = [];
  #patience: NodeJS.Timeout | undefined;

  hold(motion: FoundMotion): void {
    this.#patience ??= setTimeout(() => this.release(), maxHeldMs);
    this.#held = [...this.#held, { ...motion, isUnderWay: false }];
    if (this.#held.length > maxHeld) this.release();
  }

  /** All pictures from this moment on are being decoded. */
  replay(fromUs: number): void {
    this.#publishUnless(({ sinceUs }) => fromUs <= sinceUs + sameMomentUs);
    this.#held = this.#held.map((motion) => ({ ...motion, isUnderWay: true }));
  }

  /** A frame of this moment was looked at. */
  show(timeUs: number): void {
    if (this.#held.length === 0) return;
    this.#set(this.#held.filter((one) => !one.isUnderWay || one.timeUs > timeUs + sameMomentUs));
  }

  /** Nothing comes again. */
  release(): void {
    this.#publishUnless(() => false);
  }

  #publishUnless(isSeenAgain: (motion: FoundMotion) => boolean): void {
    const lost = this.#held.filter((motion) => !isSeenAgain(motion));
    this.#set(this.#held.filter(isSeenAgain));
    for (const { publish } of lost) publish();
  }

  #set(held: readonly Withheld[]): void {
    this.#held = held;
    if (held.length > 0) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }
}
