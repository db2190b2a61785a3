import type { PassedPicture, UnitPacket } from '../../../bus/packets/unit-packet.ts';
import { sameMomentUs } from './withheld-motion.ts';

/** A key frame and what followed it. */
export interface KnownGroup {
  /** The number of the key frame. */
  readonly sequence: number;
  /** When it was taken: Unix time in microseconds. */
  readonly timeUs: number;
  readonly bytes: number;
}

/** Where they come from fewer are kept. */
const maxGroups = 8;

/** What is known of one connection's pictures, whether they have come or only their sizes. */
export class KnownPictures {
  session = '';
  /** The number of the last picture that came, and of the last one whose size is known. */
  #taken = -1;
  #sized = -1;
  /** Of the pictures that were passed over since the last one that came, so many sizes were in notices. */
  #noticed = 0;
  #groups: readonly KnownGroup[] = [];

  /** The last group. */
  get last(): KnownGroup | undefined {
    return this.#groups.at(-1);
  }

  /** The group of this moment. */
  at(timeUs: number): KnownGroup | undefined {
    return this.#groups.findLast((group) => group.timeUs <= timeUs + sameMomentUs);
  }

  /** Of the pictures from this one on. */
  bytesFrom(sequence: number): number {
    return this.#groups
      .filter((group) => group.sequence >= sequence)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @returns what was passed over before it, as far as it is new; undefined: it came before */
  take({ session, sequence, sizes }: UnitPacket): readonly PassedPicture[] | undefined {
    this.session = session;
    this.#taken = sequence;
    const noticed = this.#noticed;
    this.#noticed = 0;
    if (sequence <= this.#sized) return undefined;
    this.#sized = sequence;
    return this.#count(sizes.slice(noticed));
  }

  /** Belongs to a picture that was taken. */
  push({ keyFrame, sequence, timeUs, data }: UnitPacket): void {
    if (keyFrame) this.#groups = [...this.#groups, { sequence, timeUs, bytes: 0 }].slice(-maxGroups);
    this.#add(data.length);
  }

  /** @returns what is new of a notice; nothing if another message is missing before it */
  notice({ session, sequence, passed, sizes }: UnitPacket): readonly PassedPicture[] {
    if (session !== this.session || sequence - passed !== this.#taken) return [];
    const fresh = sizes.slice(this.#noticed);
    this.#noticed = sizes.length;
    this.#sized = sequence;
    return this.#count(fresh);
  }

  /** Pictures are missing. */
  clear(): void {
    this.#groups = [];
    this.#sized = -1;
  }

  #count(sizes: readonly PassedPicture[]): readonly PassedPicture[] {
    this.#add(sizes.reduce((sum, { bytes }) => sum + bytes, 0));
    return sizes;
  }

  #add(bytes: number): void {
    const { last } = this;
    if (last) this.#groups = [...this.#groups.slice(0, -1), { ...last, bytes: last.bytes + bytes }];
  }
}
