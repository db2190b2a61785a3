import type { UnitsCommand } from '../../bus/command-messages.ts';
import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';

export type KeysWanted = NonNullable<UnitsCommand['keys']>;

/** So many pictures in a row must be larger than usual. */
const meanOf = 3;
const ticksPerUs = videoTicksPerSecond / 1e6;

/**
 * Where key frames alone are enough for whoever decodes: knows when other pictures are needed after all. It sees no picture,
 * only sizes and times.
 */
export class KeysAlone {
  #wanted: KeysWanted;
  /** Of the last picture in its group: the key frame has 0. */
  #position = 0;
  #keyTime: number | undefined;
  /** What the last pictures had more than usual. */
  #excesses: number[] = [];
  #wasNeeded = true;

  /** @param group the last key frame, and what came after it */
  constructor(wanted: KeysWanted, group: readonly VideoUnit[]) {
    this.#wanted = wanted;
    this.#keyTime = group[0]?.time;
    this.#position = group.filter(({ continues }) => !continues).length - 1;
  }

  get wanted(): KeysWanted {
    return this.#wanted;
  }

  /** What is usual changes with time. */
  set wanted(wanted: KeysWanted) {
    this.#wanted = wanted;
  }

  /** Called with each picture, in order. @returns false: it can be passed over */
  isNeeded(unit: Pick<VideoUnit, 'keyFrame' | 'continues' | 'time' | 'data'>): boolean {
    if (!unit.continues) this.#wasNeeded = unit.keyFrame ? this.#begin(unit.time) : this.#isUnusual(unit);
    // The missing slices of a picture are needed where the picture is.
    return this.#wasNeeded;
  }

  #begin(time: number): true {
    this.#keyTime = time;
    this.#position = 0;
    this.#excesses = [];
    return true;
  }

  #isUnusual({ time, data }: Pick<VideoUnit, 'time' | 'data'>): boolean {
    const { usual, more, lateUs } = this.#wanted;
    this.#position += 1;
    const known = usual[this.#position - 1];
    if (known !== undefined) this.#excesses = [...this.#excesses, data.length - known].slice(-meanOf);
    const sum = this.#excesses.reduce((total, excess) => total + excess, 0);
    const isRaised = this.#excesses.length === meanOf && sum > more * meanOf;
    // What comes next is compared anew.
    if (isRaised) this.#excesses = [];
    return isRaised || time - (this.#keyTime ?? time) > lateUs * ticksPerUs;
  }
}
