import { randomText } from '../../bus/base/random.ts';
import type { UnitsCommand } from '../../bus/command-messages.ts';
import type { PassedPicture, UnitPacket } from '../../bus/packets/unit-packet.ts';
import { LastGroups } from '../media/last-groups.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import { decoderUnit } from './decoder-unit.ts';
import { DueTimes, dueOffset } from './due-times.ts';
import { KeysAlone, type KeysWanted } from './keys-alone.ts';

export interface UnitStreamOptions {
  /** Has seen the pictures arrive before they are pushed. */
  readonly clock: Pick<MediaClock, 'at'>;
  /** Gets pictures that follow each other. */
  readonly onUnits: (packets: readonly UnitPacket[]) => void;
}

/** See {@link UnitsCommand}. */
export type WantedUnits = Pick<UnitsCommand, 'begin' | 'rates' | 'keys' | 'again'>;

const idLength = 12;
const noData = new Uint8Array(0);
const usPerTick = 1e6 / videoTicksPerSecond;
/** Held pictures are decoded just before the one that was waited for: so many delay it by some 10 ms, at 5 to 6.6 ms for one of 1080p. */
const maxHeldPixels = 3_300_000;
/** Distances of key frames, of which the next one is expected. */
const knownKeys = 4;

/**
 * One connection's encoded pictures for the process that decodes: nothing is made of them while they are not wanted.
 *
 * Each message wakes two processes, so pictures of which no frame is made wait for the one of which one is.
 */
export class UnitStream {
  readonly #options: UnitStreamOptions;
  readonly #session = randomText(idLength);
  readonly #groups = new LastGroups<VideoUnit>();
  /** The number of the next picture. */
  #sequence = 0;
  /** The number of the last picture that was sent, or is held. */
  #sent = -1;
  #isWanted = false;
  #isBeginDue = false;
  /** Where key frames alone are sent. */
  #keys: KeysAlone | undefined;
  /** Times of the last key frames. */
  #keyTimes: number[] = [];
  #due = new DueTimes([]);
  #rates = '';
  #held: UnitPacket[] = [];
  #heldPixels = 0;
  /** Of one picture. */
  #pixels = 1;
  #newest = Number.NEGATIVE_INFINITY;
  /** Its pictures are shown in another order than they come: one that is due needs those that follow. */
  #isReordered = false;

  constructor(options: UnitStreamOptions) {
    this.#options = options;
  }

  push(unit: VideoUnit): void {
    this.#groups.push(unit);
    if (unit.keyFrame) this.#keyTimes = [...this.#keyTimes, unit.time].slice(-knownKeys - 1);
    if (unit.keyFrame && !this.#keys) this.#groups.forgetBefore();
    this.#isReordered ||= unit.time < this.#newest;
    this.#newest = Math.max(this.#newest, unit.time);
    this.#sequence += 1;
    if (!this.#isWanted) return;
    if (this.#isBeginDue) this.#sendGroup();
    else if (this.#keys) this.#passOver(unit, this.#keys);
    else this.#hold(unit);
  }

  /** The media time of the picture that is waited for, in microseconds; undefined if each is, or none. */
  get nextDueUs(): number | undefined {
    if (!this.#isWanted || this.#isBeginDue) return undefined;
    if (this.#keys) return this.#nextKeyUs();
    // What may not wait any longer is not left in the socket either.
    const next = this.#due.next(Math.floor((maxHeldPixels - this.#heldPixels) / this.#pixels) + 1);
    if (this.#isReordered || next === undefined) return undefined;
    return (next - dueOffset) * usPerTick;
  }

  /** If they go on to come as they did. */
  #nextKeyUs(): number | undefined {
    const distances = this.#keyTimes.slice(1).map((time, index) => time - (this.#keyTimes[index] ?? 0));
    const next = (this.#keyTimes.at(-1) ?? 0) + Math.min(...distances);
    return Number.isFinite(next) ? next * usPerTick : undefined;
  }

  /**
   * Sends pictures until `unwant`; may be called again.
   *
   * @param wanted `begin` has no effect on the first call, which begins with the last group in any case
   */
  want({ begin, rates, keys, again }: WantedUnits): void {
    const key = rates.join();
    if (key !== this.#rates) {
      this.#rates = key;
      this.#due = new DueTimes(rates);
    }
    if (!this.#isWanted || begin) {
      this.#isWanted = true;
      this.#sendGroup();
    } else if (again?.session === this.#session) this.#sendAgain(again.sequence);
    else if (keys?.session === this.#session) this.#sendKeysAlone(keys);
    else if (this.#keys) this.#sendPassed();
  }

  unwant(): void {
    this.#isWanted = false;
    this.#keys = undefined;
    this.#forgetHeld();
  }

  /** The connection has ended. */
  close(): void {
    this.#groups.clear();
    this.unwant();
  }

  /** Where there is none, because it was too large, sending begins with the next one. */
  #sendGroup(): void {
    this.#sendAll(this.#groups.group, false);
  }

  /** What is not kept any more is lost. */
  #sendAgain(sequence: number): void {
    const { both } = this.#groups;
    this.#sendAll(both.slice(Math.max(0, sequence - this.#firstOf(both))), true);
  }

  #sendAll(units: readonly VideoUnit[], again: boolean): void {
    this.#keys = undefined;
    this.#forgetHeld();
    this.#isBeginDue = units.length === 0;
    this.#sendNewest(units, again);
  }

  #sendKeysAlone(wanted: KeysWanted): void {
    if (this.#isBeginDue) return;
    this.#sendHeld();
    this.#keys ??= new KeysAlone(wanted, this.#groups.group);
    this.#keys.wanted = wanted;
  }

  /** Only key frames were sent; now all are, from the last one on. */
  #sendPassed(): void {
    this.#keys = undefined;
    const { group } = this.#groups;
    this.#isBeginDue = group.length === 0 && this.#sent < this.#sequence - 1;
    this.#sendNewest(group.slice(Math.max(0, this.#sent + 1 - this.#firstOf(group))), false);
  }

  #passOver(unit: VideoUnit, keys: KeysAlone): void {
    if (!keys.isNeeded(unit)) return;
    const { group } = this.#groups;
    const number = this.#sequence - 1;
    if (unit.keyFrame || number === this.#sent + 1)
      this.#send([{ ...this.#packet(unit, number), ...this.#passedBefore(number) }]);
    else if (keys.wanted.isAsked) this.#sendNotice(unit, number);
    else if (group.length === 0) this.#isBeginDue = true;
    else this.#sendNewest(group.slice(this.#sent + 1 - this.#firstOf(group)), false);
  }

  /** Whoever decodes asks for what was passed over when it is its turn. */
  #sendNotice(unit: VideoUnit, number: number): void {
    if (unit.continues) return;
    const passed = this.#passedBefore(number + 1);
    this.#options.onUnits([{ ...this.#packet(unit, number), ...passed, data: noData, isNotice: true }]);
  }

  #passedBefore(number: number): Pick<UnitPacket, 'passed' | 'sizes'> {
    const { both } = this.#groups;
    const first = this.#firstOf(both);
    const units = both.slice(Math.max(0, this.#sent + 1 - first), Math.max(0, number - first));
    const sizes = units
      .filter(({ continues }) => !continues)
      .map(({ data, time }): PassedPicture => ({ bytes: data.length, timeUs: this.#timeUs(time) }));
    return { passed: number - this.#sent - 1, sizes };
  }

  /** @param units that end with the newest */
  #sendNewest(units: readonly VideoUnit[], again: boolean): void {
    const first = this.#firstOf(units);
    if (!again) for (const { time } of units) this.#due.isDue(time + dueOffset);
    this.#send(
      units.map((unit, index) => {
        const remaining = units.length - 1 - index;
        return { ...this.#packet(unit, first + index), remaining, again };
      }),
    );
  }

  #hold(unit: VideoUnit): void {
    const { width, height } = unit.config;
    this.#held.push(this.#packet(unit, this.#sequence - 1));
    this.#pixels = Math.max(1, width * height);
    this.#heldPixels += this.#pixels;
    const isDue = unit.continues || this.#due.isDue(unit.time + dueOffset);
    if (isDue || this.#isReordered || this.#heldPixels > maxHeldPixels) this.#sendHeld();
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#forgetHeld();
    this.#send(held);
  }

  #forgetHeld(): void {
    this.#held = [];
    this.#heldPixels = 0;
  }

  #send(packets: readonly UnitPacket[]): void {
    const last = packets.at(-1);
    if (!last) return;
    this.#sent = last.sequence;
    this.#options.onUnits(packets);
  }

  /** The number of the first of pictures that end with the newest. */
  #firstOf(units: readonly VideoUnit[]): number {
    return this.#sequence - units.length;
  }

  #timeUs(time: number): number {
    return Math.round(this.#options.clock.at(time * usPerTick));
  }

  #packet(unit: VideoUnit, sequence: number): UnitPacket {
    const { time, ...fields } = decoderUnit(unit);
    const { width, height } = unit.config;
    const place = {
      session: this.#session,
      sequence,
      remaining: 0,
      isNotice: false,
      again: false,
      passed: 0,
      sizes: [],
    };
    return { ...place, ...fields, width, height, time: Math.round(time), timeUs: this.#timeUs(time) };
  }
}
