/** Further from the arrivals, a camera's reports are wrong. */
const maxCorrectionUs = 3_000_000;
/** Of so many comparisons the middle one counts: one that falls into a step of the camera's clock is outvoted. */
const comparisons = 3;
/** After the first correction, sound is stretched or pressed by no more than this. */
const maxStretch = 1 / 16;

/**
 * Keeps sound in step with the picture. Each track begins where its first packet arrived, and one may have been on its
 * way for longer than the other. Sender reports say at which time of the camera's clock something was taken: where they
 * are there for both tracks, the sound follows them.
 */
export class AudioSync {
  /** Media time minus the camera's clock, as a track's last report says, unless it has been compared. */
  #video: number | undefined;
  #audio: number | undefined;
  #recent: number[] = [];
  #wantedUs: number | undefined;
  #appliedUs: number | undefined;
  #last = 0;

  /**
   * The camera says what time it was when something was taken.
   *
   * @param mediaUs the same moment in media time, as the track places it; undefined if it has not begun
   */
  report(track: 'video' | 'audio', mediaUs: number | undefined, wallClockUs: number): void {
    if (mediaUs === undefined) return;
    if (track === 'video') this.#video = mediaUs - wallClockUs;
    else this.#audio = mediaUs - wallClockUs;
    if (this.#video === undefined || this.#audio === undefined) return;
    const correction = this.#video - this.#audio;
    // Two reports are compared once: of a step of the clock, one comparison at most is wrong.
    this.#video = undefined;
    this.#audio = undefined;
    if (Math.abs(correction) > maxCorrectionUs) return;
    this.#recent = [...this.#recent.slice(1 - comparisons), correction];
    this.#wantedUs = [...this.#recent].sort((a, b) => a - b)[(this.#recent.length - 1) >> 1];
  }

  /** @returns the media time at which a piece of audio belongs, from the one at which its track places it; both in µs */
  correct(timeUs: number): number {
    if (this.#wantedUs === undefined) return timeUs;
    const most = Math.max(timeUs - this.#last, 0) * maxStretch;
    this.#last = timeUs;
    // At first it is put right at once: that costs a moment of sound, and not many seconds out of step.
    this.#appliedUs ??= this.#wantedUs;
    const missing = this.#wantedUs - this.#appliedUs;
    this.#appliedUs += Math.min(Math.max(missing, -most), most);
    return timeUs + this.#appliedUs;
  }
}
