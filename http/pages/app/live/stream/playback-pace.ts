const leastTargetS = 0.15;
/** The most that stalls may add to the target. */
const maxAllowanceS = 0.25;
const allowanceStepS = 0.05;
/** Two stalls within this time make the player keep further ahead. */
const stallPeriodMs = 10_000;
/** After this time without a stall, the player dares to be closer again. */
const calmMs = 30_000;
const maxRate = 1.1;
/** Further behind than this, 1.1 times the speed would take too long. */
const jumpS = 1;
const toleranceS = 0.04;

/**
 * Keeps a player close behind the camera: how many seconds of media it keeps ahead, and how fast it plays to get there.
 * Times are those of `performance.now()`.
 */
export class PlaybackPace {
  #allowanceS = 0;
  #intervalS = 0;
  #stallsMs: number[] = [];
  #changedMs = 0;

  /** Seconds of media that the player tries to have ahead: more than the distance of two pictures. */
  get targetS(): number {
    return Math.max(leastTargetS, this.#intervalS * 1.5 + 0.05) + this.#allowanceS;
  }

  /** The media has grown by this many seconds with this many messages. */
  grown(seconds: number, messages: number): void {
    const interval = seconds / messages;
    if (!(interval > 0) || interval > 10) return;
    this.#intervalS = this.#intervalS === 0 ? interval : this.#intervalS * 0.9 + interval * 0.1;
  }

  /** The player had nothing to play. */
  stalled(nowMs: number): void {
    this.#stallsMs = [...this.#stallsMs.filter((at) => nowMs - at < stallPeriodMs), nowMs];
    if (this.#stallsMs.length < 2) return;
    this.#stallsMs = [];
    this.#changedMs = nowMs;
    this.#allowanceS = Math.min(maxAllowanceS, this.#allowanceS + allowanceStepS);
  }

  /** @param aheadS media that has not been played yet. @returns the speed, and whether to jump to the target first. */
  next(aheadS: number, nowMs: number): { readonly jump: boolean; readonly rate: number } {
    if (this.#allowanceS > 0 && nowMs - this.#changedMs > calmMs) {
      this.#changedMs = nowMs;
      this.#allowanceS = Math.max(0, this.#allowanceS - allowanceStepS);
    }
    const excessS = aheadS - this.targetS;
    if (excessS > jumpS) return { jump: true, rate: 1 };
    return { jump: false, rate: excessS > toleranceS ? Math.min(maxRate, 1 + excessS * 0.5) : 1 };
  }
}
