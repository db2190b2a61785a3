/** More than a camera that comes and goes needs in a day or two. */
const freeStarts = 200;
/** The rest is for what starts again within the sessions that are there. */
const wornStarts = 100;
const sparingMs = 3600_000;

/**
 * How often GStreamer pipelines may start in one process: each leaks descriptors and a quarter of a megabyte in the
 * addon, until the process ends. After so many there is one an hour at most; what was recorded goes on being recorded.
 */
export class PipelineBudget {
  #starts = 0;
  #nextMs = 0;
  #isSpent = false;

  /** Whether new sessions should begin in another process. */
  get isWorn(): boolean {
    return this.#starts >= wornStarts;
  }

  /** Whether a start had to wait: a process that can end has to. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /**
   * Takes a start out of the budget.
   *
   * @param nowMs of the monotonic clock
   * @returns milliseconds until there may be one; 0 for now.
   */
  take(nowMs: number): number {
    if (this.#starts >= freeStarts && nowMs < this.#nextMs) {
      this.#isSpent = true;
      return this.#nextMs - nowMs;
    }
    this.#starts += 1;
    this.#nextMs = nowMs + sparingMs;
    return 0;
  }
}

/** Of this process, for what is started again with each connection: decoders, and encoders of audio. */
export const pipelineBudget = new PipelineBudget();

/** Says why nothing is started now. @param waitMs from `take` */
export function describeWait(waitMs: number): string {
  return `GStreamer has been started too often; next start in ${Math.ceil(waitMs / 60_000)} min`;
}
