/** So many pictures in a row that the decoder did not show before more came are no accident. */
const maxUnseen = 4;
const maxDelayedUs = 600e6;
/** Soon again: a decoder that sleeps meanwhile shows as many pictures only in several groups. */
const soonUs = 60e6;

/** Knows whether a decoder shows pictures only when it has got later ones: it may, whatever order they come in. */
export class DecoderDelay {
  readonly #leastUs: number;
  #unseen = 0;
  /** For so long the decoder was taken for one that does. */
  #delayedUs = 0;
  #delayedUntilUs = Number.NEGATIVE_INFINITY;

  /** @param leastUs so long it is taken for one at first: the machine may only have been busy */
  constructor(leastUs = maxDelayedUs) {
    this.#leastUs = leastUs;
  }

  /**
   * @param isSeen whether a picture was shown before the decoder got what came after it
   * @param timeUs its media time
   */
  note(isSeen: boolean, timeUs: number): void {
    this.#unseen = isSeen ? 0 : this.#unseen + 1;
    if (this.#unseen < maxUnseen) return;
    this.#unseen = 0;
    if (this.isDelayed(timeUs)) return;
    const isAgain = this.#delayedUs > 0 && timeUs < this.#delayedUntilUs + Math.max(this.#delayedUs, soonUs);
    this.#delayedUs = isAgain ? Math.min(2 * this.#delayedUs, maxDelayedUs) : this.#leastUs;
    this.#delayedUntilUs = timeUs + this.#delayedUs;
  }

  /** At first for a while after it was so, twice as long each time that it is so again soon, ten minutes at most. */
  isDelayed(timeUs: number): boolean {
    return timeUs < this.#delayedUntilUs;
  }
}
