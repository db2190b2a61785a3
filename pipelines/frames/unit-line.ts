import type { UnitPacket } from '../../bus/packets/unit-packet.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import type { DecoderUnit } from './decoder-unit.ts';
import { dueOffset } from './due-times.ts';

/**
 * A picture on the line, and whether it follows the one before (others may have been passed over), begins another connection, or
 * comes after lost ones.
 */
export interface LineUnit {
  readonly unit: DecoderUnit;
  readonly follows: 'picture' | 'gap' | 'connection';
}

const usPerTick = 1e6 / videoTicksPerSecond;
/** Between two connections: more than pictures are shown out of order. */
const pauseTicks = videoTicksPerSecond;

/** So that the periods of any rate begin at the same moments on the line and in a session (`due-times.ts`). */
const wholeSeconds = (ticks: number) => Math.ceil(ticks / videoTicksPerSecond) * videoTicksPerSecond;

/** Puts the pictures of one connection after another on one line of media time, so that one decoder can take them all. */
export class UnitLine {
  #session = '';
  #sequence = -1;
  /** What is added to the times of the present session. */
  #shift = 0;
  #last = 0;
  /** From the line to Unix time, in microseconds. */
  #offsetUs = 0;

  /** @returns undefined for a picture that was taken before. */
  take({ session, sequence, passed, time, timeUs, ...packet }: UnitPacket): LineUnit | undefined {
    const isSame = session === this.#session;
    if (isSame && sequence <= this.#sequence) return undefined;
    const isNext = sequence === this.#sequence + passed + 1;
    const follows = !isSame ? 'connection' : isNext ? 'picture' : 'gap';
    this.#session = session;
    this.#sequence = sequence;
    if (!isSame) this.#shift = wholeSeconds(this.#last + pauseTicks - dueOffset - time) + dueOffset;
    const shifted = time + this.#shift;
    this.#last = Math.max(this.#last, shifted);
    this.#offsetUs = timeUs - shifted * usPerTick;
    const { codec, keyFrame, continues, data } = packet;
    return {
      follows,
      unit: {
        codec,
        keyFrame,
        continues,
        time: shifted,
        data: Buffer.from(data.buffer, data.byteOffset, data.length),
      },
    };
  }

  /** The pictures from this one on, which were taken before, come again. */
  rewind({ session, sequence }: Pick<UnitPacket, 'session' | 'sequence'>): void {
    if (session === this.#session) this.#sequence = Math.min(this.#sequence, sequence - 1);
  }

  /** What comes next is taken as another connection's, whatever it is. */
  forget(): void {
    this.#session = '';
  }

  /** @param mediaUs a time of the line in microseconds, about the present. @returns Unix time in microseconds */
  at(mediaUs: number): number {
    return Math.round(mediaUs + this.#offsetUs);
  }
}
