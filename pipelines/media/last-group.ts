/** A group of more than that is not decoded from its beginning: frames begin at the next key frame. */
const maxBytes = 32 * 1024 * 1024;
const maxUnits = 2000;

export interface GroupedPicture {
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

/** The pictures since the last key frame, from which decoding can begin at any time. */
export class LastGroup<Unit extends GroupedPicture> {
  #units: Unit[] = [];
  #bytes = 0;

  /** Empty when there was no key frame, or too much since. */
  get units(): readonly Unit[] {
    return this.#units;
  }

  push(unit: Unit): void {
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
