import { randomText } from '../../bus/base/random.ts';
import type { UnitPacket } from '../../bus/packets/unit-packet.ts';
import { LastGroup } from '../media/last-group.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from '../media/unit.ts';
import { decoderUnit } from './decoder-unit.ts';

export interface UnitStreamOptions {
  /** Has seen the pictures arrive before they are pushed. */
  readonly clock: Pick<MediaClock, 'at'>;
  readonly onUnit: (packet: UnitPacket) => void;
}

const idLength = 12;
const usPerTick = 1e6 / videoTicksPerSecond;

/** One connection's encoded pictures for the process that decodes: nothing is made of them while they are not wanted. */
export class UnitStream {
  readonly #options: UnitStreamOptions;
  readonly #session = randomText(idLength);
  readonly #group = new LastGroup<VideoUnit>();
  /** The number of the next picture. */
  #sequence = 0;
  #isWanted = false;
  #isBeginDue = false;

  constructor(options: UnitStreamOptions) {
    this.#options = options;
  }

  push(unit: VideoUnit): void {
    this.#group.push(unit);
    const sequence = this.#sequence++;
    if (!this.#isWanted) return;
    if (!this.#isBeginDue) this.#send(unit, sequence, 0);
    else this.#sendGroup();
  }

  /**
   * Sends pictures until `unwant`; may be called again.
   *
   * @param begin the last group of pictures first, whole, as for the first caller
   */
  want(begin: boolean): void {
    if (this.#isWanted && !begin) return;
    this.#isWanted = true;
    this.#sendGroup();
  }

  unwant(): void {
    this.#isWanted = false;
  }

  /** The connection has ended. */
  close(): void {
    this.#group.clear();
    this.unwant();
  }

  /** Where there is none, because it was too large, sending begins with the next one. */
  #sendGroup(): void {
    const { units } = this.#group;
    this.#isBeginDue = units.length === 0;
    const first = this.#sequence - units.length;
    for (const [index, unit] of units.entries()) this.#send(unit, first + index, units.length - 1 - index);
  }

  #send(unit: VideoUnit, sequence: number, remaining: number): void {
    const { clock, onUnit } = this.#options;
    const { time, ...fields } = decoderUnit(unit);
    const timeUs = Math.round(clock.at(time * usPerTick));
    onUnit({ session: this.#session, sequence, remaining, ...fields, time: Math.round(time), timeUs });
  }
}
