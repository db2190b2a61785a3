import { MachineClock, type MachineStart } from '../../bus/base/machine-clock.ts';
import { MediaClock } from './media-clock.ts';

/** How much faster or slower than the camera's clock time may pass. */
const maxSlew = 500e-6;
/** The same while it is far from the arrivals. */
const maxCatchUp = 0.05;
/** Far away, and near again, in microseconds. */
const farUs = 250_000;
const nearUs = 20_000;
/** Set back by up to this, the machine's clock is followed like that, so that no time comes twice. Microseconds. */
const maxFollowedUs = 10_000_000;
/** Further away than this, the camera's stamps go on at another rate than time does, and the catch-up grows. Microseconds. */
const otherRateUs = 12_000_000;
/** It grows by 1 with each of these, in microseconds: at some distance it outweighs any rate. */
const growthUs = 15_000_000;
/** Less than 1: however far ahead time is, it goes on. */
const maxGrownCatchUp = 0.9;
/** An error is made good within about this time, if the limits allow that. */
const settlingUs = 10_000_000;
/** Between two decisions, in microseconds of media time. */
const minStretchUs = 1_000_000;
/** So far back, the past can be asked for. */
const rememberedUs = 120_000_000;

/** From this media time on, time passes at this speed. Microseconds. */
interface Stretch {
  readonly mediaUs: number;
  readonly monotonicUs: number;
  readonly speed: number;
}

/**
 * Tells when something was taken, from media times that count from an unknown moment.
 *
 * Time passes as it does for the camera, at most 500 ppm faster or slower, so as to follow the arrivals, see
 * {@link MediaClock}. It never goes back, and what it has said of a picture that has arrived holds. A camera whose stamps
 * are further from the arrivals than a quarter of a second (one that keeps no time, or one that has begun with pictures
 * of the past) is caught up with at 5 %, and so is a machine's clock that was set back by some seconds.
 * A camera whose stamps always go on faster or slower than time by more than that is followed at a distance of up to half
 * a minute, by as much as this needs.
 *
 * All this is in the monotonic clock, which nobody can set. `offsetUs` leads from there to Unix time.
 */
export class WallClock {
  readonly #clock: MachineClock;
  readonly #arrivals = new MediaClock();
  #stretches: Stretch[] = [];
  #newestUs = Number.NEGATIVE_INFINITY;
  #isFar = false;
  /** By how much the machine's clock was set back in steps that are followed gradually, and `offsetUs` was not. */
  #followedUs = 0;
  #isAsked = false;

  constructor(clock = new MachineClock()) {
    this.#clock = clock;
  }

  /**
   * Unix time minus the monotonic clock, in microseconds: changes when the machine's clock is set, unless that is by so few
   * seconds back that it is followed gradually.
   */
  get offsetUs(): number {
    return this.#clock.offsetUs + this.#followedUs;
  }

  /** The clock by which that is Unix time, also where a step back is followed. */
  get machine(): MachineStart {
    return this.#clock.start;
  }

  /** By how much what it says is still ahead of the best estimate, in microseconds: after the machine's clock was set back. */
  get leadUs(): number {
    if (!this.#isAsked) return 0;
    return Math.max(0, this.monotonicUs(this.#newestUs) - this.#target(this.#newestUs));
  }

  /** Something that was complete at `mediaUs`, microseconds of media time, has arrived. @param arrivedMs `performance.now()` */
  observe(mediaUs: number, arrivedMs: number): void {
    this.look();
    this.#arrivals.observe(mediaUs, arrivedMs * 1000);
    if (mediaUs < this.#newestUs) return;
    this.#newestUs = mediaUs;
    if (!this.#isAsked) {
      // Nobody knows of an error yet.
      this.#stretches = [{ mediaUs, monotonicUs: this.#target(mediaUs), speed: 1 }];
      return;
    }
    if (mediaUs - (this.#stretches.at(-1)?.mediaUs ?? 0) >= minStretchUs) this.#decide(mediaUs);
  }

  /** The monotonic clock when the picture of this media time was taken; both in microseconds. One must have arrived. */
  monotonicUs(mediaUs: number): number {
    this.#isAsked = true;
    const [oldest] = this.#stretches;
    const stretch = this.#stretches.findLast((one) => one.mediaUs <= mediaUs) ?? oldest;
    if (!stretch) return mediaUs;
    return Math.round(stretch.monotonicUs + (mediaUs - stretch.mediaUs) * stretch.speed);
  }

  /** The best estimate of when the picture of this media time was taken, Unix time in microseconds; it may go back. */
  at(mediaUs: number): number {
    return Math.round(this.#target(mediaUs)) + this.offsetUs;
  }

  /** Notices at once if the machine's clock was set. */
  look(): void {
    const stepUs = this.#clock.look();
    if (stepUs < 0 && stepUs >= -maxFollowedUs) this.#followedUs -= stepUs;
    // Set ahead again, it is right at once: what is left of a step back need not be followed.
    else if (stepUs > 0) this.#followedUs -= Math.min(stepUs, this.leadUs, this.#followedUs);
  }

  #decide(mediaUs: number): void {
    const monotonicUs = this.monotonicUs(mediaUs);
    const errorUs = this.#target(mediaUs) - monotonicUs;
    this.#isFar = Math.abs(errorUs) > (this.#isFar ? nearUs : farUs);
    const limit = this.#isFar ? catchUpOf(Math.abs(errorUs)) : maxSlew;
    const slew = Math.min(Math.max(errorUs / settlingUs, -limit), limit);
    this.#stretches = this.#stretches.filter((_, index, { length, [index + 1]: next }) => {
      return index === length - 1 || (next?.mediaUs ?? 0) > mediaUs - rememberedUs;
    });
    this.#stretches.push({ mediaUs, monotonicUs, speed: 1 + slew });
  }

  /** Where the arrivals say that it should be. */
  #target(mediaUs: number): number {
    return this.#arrivals.at(mediaUs) + this.#clock.deviationUs - this.#followedUs;
  }
}

/** @returns the limit of the catch-up, so many microseconds from the arrivals */
function catchUpOf(distanceUs: number): number {
  return Math.min(Math.max(maxCatchUp, (distanceUs - otherRateUs) / growthUs), maxGrownCatchUp);
}
