import { videoTicksPerSecond } from '../media/unit.ts';

/** Fewer frames a second are selected among so many: each is at most a fifth of a second late. */
const minRate = 5;

/** Of how many pictures a second frames are made, or selected further where that is more. @param rate 0 for every picture */
export const dueRate = (rate: number) => (rate > 1 ? Math.ceil(rate) : rate && minRate);

/**
 * What is added to the times of pictures, in ticks: those of a camera whose rate is a multiple of the frames' are then in the
 * midst of a period, and whatever its timestamps tremble, the same of them are selected.
 */
export const dueOffset = videoTicksPerSecond / 20;

/** Among so many, the shortest distance of two pictures: the next one comes no sooner. */
const distances = 8;

/**
 * Knows, before they are decoded, of which pictures frames can be made at some rates: the first of each of a rate's periods,
 * which are counted from time 0 on. GStreamer's `videorate` selects them in the same way (`drop-only`). A line of time that is
 * off by whole seconds has the same periods.
 */
export class DueTimes {
  /** Frames per second, whole numbers. Empty: every picture is due. */
  readonly #rates: readonly number[];
  #last: number | undefined;
  /** Between the last pictures. */
  #distances: number[] = [];

  /** @param rates frames per second, 0 for every picture; none means the same. */
  constructor(rates: readonly number[]) {
    this.#rates = rates.includes(0) ? [] : rates.map(dueRate);
  }

  /** Called once for each picture, in order. @param time in ticks */
  isDue(time: number): boolean {
    const last = this.#last;
    this.#last = time;
    if (this.#rates.length === 0 || last === undefined) return true;
    this.#distances = [...this.#distances, time - last].slice(-distances);
    return this.#rates.some((rate) => periodOf(time, rate) !== periodOf(last, rate));
  }

  /**
   * The time of the picture that will be due next, in ticks, if they go on to come as they did; undefined if any can be due.
   *
   * @param most pictures until then: the last of them comes first otherwise
   */
  next(most = Number.POSITIVE_INFINITY): number | undefined {
    const last = this.#last;
    const distance = Math.min(...this.#distances);
    if (this.#rates.length === 0 || last === undefined || !(distance > 0)) return undefined;
    const periods = this.#rates.map((rate) => (periodOf(last, rate) + 1) / rate);
    const begin = Math.min(...periods) * videoTicksPerSecond;
    return last + Math.min(Math.ceil((begin - last) / distance), most) * distance;
  }
}

const periodOf = (time: number, rate: number) => Math.floor((time * rate) / videoTicksPerSecond);
