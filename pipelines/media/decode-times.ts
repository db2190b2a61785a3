/** So many pictures at most are sent before one that is shown earlier (level limits of H.264 and H.265). */
const maxDepth = 16;
/** By this part of the usual distance. */
const promisedEarlier = 16;

/**
 * Makes decode times, which RTP does not carry: the n-th picture is decoded when the n-th in the order of showing
 * is shown, minus as many pictures as the stream has been seen to send ahead. Nothing is waited for.
 */
export class DecodeTimes {
  /** Times of the last pictures in the order in which they were sent. */
  readonly #recent: number[] = [];
  #depth = 0;
  /** Times that no picture has been given as its decode time yet, ascending. */
  readonly #pending: number[] = [];
  #last = Number.NEGATIVE_INFINITY;
  /** The last one as it would have been without a promise. */
  #exact = 0;
  #promised: number | undefined;

  /** How many pictures are sent ahead of one that is shown earlier. */
  get depth(): number {
    return this.#depth;
  }

  /** Takes note of a picture before the decode times of those sent before it are made. */
  learn(time: number): void {
    let ahead = 0;
    for (const other of this.#recent) if (other > time) ahead += 1;
    this.#depth = Math.max(this.#depth, Math.min(ahead, maxDepth));
    this.#recent.push(time);
    if (this.#recent.length > maxDepth) this.#recent.shift();
  }

  /** @param time when the next picture in the order of sending is shown. @returns more than the last time */
  next(time: number): number {
    const at = this.#pending.findIndex((other) => other > time);
    this.#pending.splice(at < 0 ? this.#pending.length : at, 0, time);
    const [first = time] = this.#pending;
    const missing = this.#depth + 1 - this.#pending.length;
    const decode = missing > 0 ? first - missing * this.period : first;
    if (missing <= 0) this.#pending.shift();
    this.#exact = Math.round(decode);
    this.#last = Math.max(this.#promised ?? this.#exact, this.#last + 1);
    this.#promised = undefined;
    return this.#last;
  }

  /**
   * The decode time that the next picture will be given, before it has come: at the usual distance, or a little earlier, for a
   * picture is not shown before it is decoded.
   */
  promise(): number {
    const { period } = this;
    this.#promised = Math.max(this.#exact + period - Math.floor(period / promisedEarlier), this.#last + 1);
    return this.#promised;
  }

  /** The usual distance of two pictures, in the times' units; 1 as long as there are not two. */
  get period(): number {
    const sorted = [...this.#recent].sort((a, b) => a - b);
    const steps = sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
    steps.sort((a, b) => a - b);
    return Math.max(1, steps[steps.length >> 1] ?? 1);
  }
}
