import type { UnitPacket } from '../../../bus/packets/unit-packet.ts';
import { sameMomentUs } from './withheld-motion.ts';

/** A key frame and what followed it. */
export interface KnownGroup {
  /** The number of the key frame. */
  readonly sequence: number;
  /** When it was taken: Unix time in microseconds. */
  readonly timeUs: number;
}

/** Where they come from fewer are kept. */
const maxGroups = 8;

/** The last groups of a connection, whether their pictures have come or only their sizes. */
export class KnownGroups {
  #groups: readonly KnownGroup[] = [];

  push({ keyFrame, sequence, timeUs }: Pick<UnitPacket, 'keyFrame' | 'sequence' | 'timeUs'>): void {
    if (keyFrame) this.#groups = [...this.#groups, { sequence, timeUs }].slice(-maxGroups);
  }

  get last(): KnownGroup | undefined {
    return this.#groups.at(-1);
  }

  /** The group of this moment. */
  at(timeUs: number): KnownGroup | undefined {
    return this.#groups.findLast((group) => group.timeUs <= timeUs + sameMomentUs);
  }

  clear(): void {
    this.#groups = [];
  }
}
