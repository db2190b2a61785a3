import { LastGroups } from '../../media/last-groups.ts';
import { videoTicksPerSecond } from '../../media/unit.ts';
import type { DecoderUnit } from '../decoder-unit.ts';

/** What its pictures are given to. */
export interface FedDecoder {
  push(unit: DecoderUnit): void;
  keep(unit: DecoderUnit): void;
  /** Pictures that were taken before, all at once. */
  pushBurst(units: readonly DecoderUnit[]): void;
  /** Frames are counted anew, and those under way are left out: what comes was taken before them. */
  restart(): void;
}

export interface SleepyFeedOptions {
  readonly decoder: () => FedDecoder | undefined;
  /** Whether it may sleep: only then pictures are kept. */
  readonly maySleep: () => boolean;
  /** Calls `begin` when it is this one's turn to catch up, at most once for each time that it was called. */
  readonly onTurn: (begin: () => void) => void;
  /** It gets all from this time on, in ticks; undefined: it has nothing that it has not had. */
  readonly onReplay: (from: number | undefined) => void;
}

const usPerTick = 1e6 / videoTicksPerSecond;

/**
 * A decoder's pictures: all of them, or while it sleeps key frames alone. Woken up, it gets what it has slept through, from
 * the beginning of the last group or of the one before. Its line of time goes only forward, so what is given twice is moved by whole seconds.
 */
export class SleepyFeed {
  readonly #options: SleepyFeedOptions;
  readonly #groups = new LastGroups<DecoderUnit>();
  #state: 'awake' | 'asleep' | 'waking' = 'awake';
  /** So many of the last group were decoded while it slept, no others: the key frame, and missing slices of it. */
  #decoded = 0;
  /** Asleep: the last picture was one of them. */
  #wasDecoded = false;
  /** Ticks that are added to times. */
  #shift = 0;
  #lastFed = 0;

  constructor(options: SleepyFeedOptions) {
    this.#options = options;
  }

  get isAsleep(): boolean {
    return this.#state === 'asleep';
  }

  /** The time of the newest picture on the decoder's line of time, in ticks. */
  get lastFed(): number {
    return this.#lastFed;
  }

  /** From the decoder's line of time to that of the pictures, in microseconds. */
  at(mediaUs: number): number {
    return mediaUs - this.#shift * usPerTick;
  }

  /** @param isShown false: others of its group follow at once, and decoding begins with the last of them */
  push(unit: DecoderUnit, isShown: boolean): void {
    if (this.#options.maySleep()) this.#groups.push(unit);
    if (this.#state === 'waking') return;
    if (this.#state === 'asleep' && !this.#isOfKeyFrame(unit)) return;
    const decoder = this.#options.decoder();
    if (isShown) decoder?.push(this.#shifted(unit));
    else decoder?.keep(this.#shifted(unit));
  }

  /** Pictures that were passed over where they come from, all at once. */
  pushBurst(units: readonly DecoderUnit[]): void {
    if (this.#options.maySleep()) for (const unit of units) this.#groups.push(unit);
    // Asleep, none of them is needed before it wakes up: then they follow the key frame.
    if (this.#state !== 'awake') return;
    this.#options.decoder()?.pushBurst(units.map((unit) => this.#shifted(unit)));
  }

  /** The last groups, while it is asleep, with what was passed over. */
  refill(units: readonly DecoderUnit[]): void {
    this.#groups.clear();
    for (const unit of units) this.#groups.push(unit);
  }

  sleep(): void {
    if (this.#state !== 'awake') return;
    this.#state = 'asleep';
    this.#decoded = 0;
    this.#wasDecoded = false;
  }

  /** @param from `before`: from the key frame before the last one on */
  wake(from: 'group' | 'before'): void {
    if (this.#state !== 'asleep') return;
    this.#state = 'waking';
    const { group, both } = this.#groups;
    const first = (from === 'before' ? both[0] : group[0])?.time;
    const decoded = from === 'group' ? this.#decoded : 0;
    this.#options.onTurn(() => this.#replay(first, decoded));
  }

  /** Pictures are missing, or another connection begins. */
  clear(): void {
    this.#groups.clear();
    this.#state = 'awake';
  }

  /** While it is asleep: a key frame, or missing slices of one that was decoded. */
  #isOfKeyFrame({ keyFrame, continues }: DecoderUnit): boolean {
    this.#wasDecoded = keyFrame || (continues && this.#wasDecoded);
    if (keyFrame) this.#decoded = 0;
    if (this.#wasDecoded) this.#decoded += 1;
    return this.#wasDecoded;
  }

  /**
   * @param first the time of the first one
   * @param decoded so many from there the decoder has had: it goes on with the next
   */
  #replay(first: number | undefined, decoded: number): void {
    if (this.#state !== 'waking') return;
    this.#state = 'awake';
    const { both } = this.#groups;
    const index = both.findIndex(({ time, keyFrame }) => keyFrame && time === first);
    // While it waited for its turn, more groups may have come than are kept.
    const units = index < 0 ? both : both.slice(index + decoded);
    const [begin] = units;
    const decoder = this.#options.decoder();
    this.#options.onReplay(begin?.time);
    if (begin?.keyFrame) {
      decoder?.restart();
      const back = this.#lastFed - (begin.time + this.#shift);
      if (back >= 0) this.#shift += (Math.floor(back / videoTicksPerSecond) + 1) * videoTicksPerSecond;
    }
    if (begin) decoder?.pushBurst(units.map((unit) => this.#shifted(unit)));
  }

  #shifted(unit: DecoderUnit): DecoderUnit {
    const time = unit.time + this.#shift;
    this.#lastFed = Math.max(this.#lastFed, time);
    return { ...unit, time };
  }
}
