import type { MachineStart } from '../../../bus/base/machine-clock.ts';

/** A clock that is set by less is followed gradually, or leaves a gap. */
export const minStepUs = 10_000_000;
/** Corrections of less are not worth a new name. */
const minShiftUs = 1_000_000;
/** A clock that was off by more than this had been set wrongly; by less, it may have drifted for as long as this took. */
const maxDriftUs = 600_000_000;
/** What a crystal is off by at most. */
const driftRate = 100e-6;
/** No recorder with these times was started before. */
const minPlausibleUs = Date.UTC(2026, 0, 1) * 1000;

/** What the times of recordings are brought in line with: this machine's clock as it is set now. */
export class ClockCorrection {
  readonly #machine: MachineStart;
  readonly #nowUs: number;
  /** Unix time in microseconds: the clock had been right until then, at least. */
  readonly #provenUs: number;

  /**
   * @param nowUs Unix time, by the clock as it is set now.
   * @param provenUs Unix time; the end of what was recorded before this machine was started, for example: a clock that said
   * less after the start was wrong. Both in microseconds.
   */
  constructor(machine: MachineStart, nowUs: number, provenUs = 0) {
    this.#machine = machine;
    this.#nowUs = nowUs;
    this.#provenUs = Math.max(provenUs, minPlausibleUs);
  }

  get machine(): MachineStart {
    return this.#machine;
  }

  /** Whether what was recorded then is to be given another time. @param timeUs Unix time by that clock, in microseconds. */
  isNeeded(recorded: MachineStart | undefined, timeUs: number): boolean {
    return (
      this.isOther(recorded) &&
      this.#isTrusted(recorded, timeUs) &&
      Math.abs(this.shiftUs(recorded, timeUs)) >= minShiftUs
    );
  }

  /** Whether it was recorded since the start of this machine, by a clock that was set since. */
  isOther(recorded: MachineStart | undefined): recorded is MachineStart {
    return this.isSameStart(recorded) && Math.abs(this.#machine.startedUs - recorded.startedUs) > minStepUs;
  }

  isSameStart(recorded: MachineStart | undefined): recorded is MachineStart {
    return recorded !== undefined && recorded.boot !== '' && recorded.boot === this.#machine.boot;
  }

  /**
   * Whether the clock of now is right rather than the one of then. A clock is set back because it was ahead, unless it then
   * says a time of the past. One that is set ahead is trusted where it had been behind for certain: so is a clock that is
   * set by decades by mistake not followed.
   */
  #isTrusted(recorded: MachineStart, recordedUs: number): boolean {
    if (this.#nowUs < minPlausibleUs) return false;
    return this.#machine.startedUs < recorded.startedUs || recordedUs < this.#provenUs;
  }

  /**
   * By how much a time of the other clock is off, in microseconds. The correction of a clock that has drifted is less the older
   * the time is: no two recordings overlap where it ends.
   */
  shiftUs(recorded: MachineStart, timeUs: number): number {
    const wholeUs = this.#machine.startedUs - recorded.startedUs;
    const sizeUs = Math.abs(wholeUs);
    if (sizeUs > maxDriftUs) return wholeUs;
    const ageUs = this.#nowUs - (timeUs + wholeUs);
    return Math.sign(wholeUs) * Math.max(0, sizeUs - Math.max(0, ageUs) * driftRate);
  }
}
