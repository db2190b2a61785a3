/** So many pictures in a row that the decoder did not show before more came are no accident. */
const maxUnseen = 4;
/** The machine may only have been busy. */
const delayedUs = 600e6;

/** Knows whether a decoder shows pictures only when it has got later ones: it may, whatever order they come in. */
export class DecoderDelay {
  #unseen = 0;
  #delayedUntilUs = Number.NEGATIVE_INFINITY;

  /**
   * @param isSeen whether a picture was shown before the decoder got what came after it
   * @param timeUs its media time
   */
  note(isSeen: boolean, timeUs: number): void {
    this.#unseen = isSeen ? 0 : this.#unseen + 1;
    if (this.#unseen < maxUnseen) return;
    this.#unseen = 0;
    this.#delayedUntilUs = timeUs + delayedUs;
  }

  /** For ten minutes after it was so. */
  isDelayed(timeUs: number): boolean {
    return timeUs < this.#delayedUntilUs;
  }
}
