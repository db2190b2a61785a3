import { randomText } from '../../bus/base/random.ts';
import type { UnitsCommand } from '../../bus/command-messages.ts';
import type { UnitPacket } from '../../bus/packets/unit-packet.ts';
import { LastGroup } from '../media/last-group.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import { decoderUnit } from './decoder-unit.ts';
import { DueTimes, dueOffset } from './due-times.ts';

export interface UnitStreamOptions {
  /** Has seen the pictures arrive before they are pushed. */
  readonly clock: Pick<MediaClock, 'at'>;
  /** Gets pictures that follow each other. */
  readonly onUnits: (packets: readonly UnitPacket[]) => void;
}

/** `begin`: the last group of pictures first, whole; `rates`: of which pictures frames are made. */
export type WantedUnits = Pick<UnitsCommand, 'begin' | 'rates'>;

const idLength = 12;
const usPerTick = 1e6 / videoTicksPerSecond;
/** Held pictures are decoded just before the one that was waited for: so many delay it by some 10 ms, at 5 to 6.6 ms for one of 1080p. */
const maxHeldPixels = 3_300_000;

/**
 * One connection's encoded pictures for the process that decodes: nothing is made of them while they are not wanted.
 *
 * Each message wakes two processes, so pictures of which no frame is made wait for the one of which one is.
 */
export class UnitStream {
  readonly #options: UnitStreamOptions;
  readonly #session = randomText(idLength);
  readonly #group = new LastGroup<VideoUnit>();
  /** The number of the next picture. */
  #sequence = 0;
  #isWanted = false;
  #isBeginDue = false;
  #due = new DueTimes([]);
  #rates = '';
  #held: UnitPacket[] = [];
  #heldPixels = 0;
  #newest = Number.NEGATIVE_INFINITY;
  /** Its pictures are shown in another order than they come: one that is due needs those that follow. */
  #isReordered = false;

  constructor(options: UnitStreamOptions) {
    this.#options = options;
  }

  push(unit: VideoUnit): void {
    this.#group.push(unit);
    this.#isReordered ||= unit.time < this.#newest;
    this.#newest = Math.max(this.#newest, unit.time);
    const sequence = this.#sequence++;
    if (!this.#isWanted) return;
    if (this.#isBeginDue) this.#sendGroup();
    else this.#hold(unit, sequence);
  }

  /** The media time of the picture that is waited for, in microseconds; undefined if each is, or none. */
  get nextDueUs(): number | undefined {
    const next = this.#due.next;
    if (!this.#isWanted || this.#isBeginDue || this.#isReordered || next === undefined) return undefined;
    return (next - dueOffset) * usPerTick;
  }

  /**
   * Sends pictures until `unwant`; may be called again.
   *
   * @param wanted `begin` has no effect on the first call, which begins with the last group in any case
   */
  want({ begin, rates }: WantedUnits): void {
    const key = rates.join();
    if (key !== this.#rates) {
      this.#rates = key;
      this.#due = new DueTimes(rates);
    }
    if (this.#isWanted && !begin) return;
    this.#isWanted = true;
    this.#sendGroup();
  }

  unwant(): void {
    this.#isWanted = false;
    this.#forgetHeld();
  }

  /** The connection has ended. */
  close(): void {
    this.#group.clear();
    this.unwant();
  }

  /** Where there is none, because it was too large, sending begins with the next one. */
  #sendGroup(): void {
    const { units } = this.#group;
    this.#forgetHeld();
    this.#isBeginDue = units.length === 0;
    const first = this.#sequence - units.length;
    for (const [index, unit] of units.entries()) {
      this.#due.isDue(unit.time + dueOffset);
      this.#options.onUnits([this.#packet(unit, first + index, units.length - 1 - index)]);
    }
  }

  #hold(unit: VideoUnit, sequence: number): void {
    const { width, height } = unit.config;
    this.#held.push(this.#packet(unit, sequence, 0));
    this.#heldPixels += width * height;
    const isDue = unit.continues || this.#due.isDue(unit.time + dueOffset);
    if (!isDue && !this.#isReordered && this.#heldPixels <= maxHeldPixels) return;
    const held = this.#held;
    this.#forgetHeld();
    this.#options.onUnits(held);
  }

  #forgetHeld(): void {
    this.#held = [];
    this.#heldPixels = 0;
  }

  #packet(unit: VideoUnit, sequence: number, remaining: number): UnitPacket {
    const { time, ...fields } = decoderUnit(unit);
    const { width, height } = unit.config;
    const timeUs = Math.round(this.#options.clock.at(time * usPerTick));
    const place = { session: this.#session, sequence, remaining };
    return { ...place, ...fields, width, height, time: Math.round(time), timeUs };
  }
}
