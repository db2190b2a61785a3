import type { VideoUnit } from './unit.ts';

/** A group of more than that is not decoded from its beginning: frames begin at the next key frame. */
const maxBytes = 32 * 1024 * 1024;
const maxUnits = 2000;

/** The pictures since the last key frame, from which decoding can begin at any time. */
export class LastGroup {
  #units: VideoUnit[] = [];
  #bytes = 0;

  /** Empty when there was no key frame, or too much since. */
  get units(): readonly VideoUnit[] {
    return this.#units;
  }

  push(unit: VideoUnit): void {
    if (unit.keyFrame) this.clear();
    else if (this.#units.length === 0) return;
    this.#units.push(unit);
    this.#bytes += unit.data.length;
    if (this.#bytes > maxBytes || this.#units.length > maxUnits) this.clear();
  }

  clear(): void {
    this.#units = [];
    this.#bytes = 0;
  }
}
