/** No NAL unit of a camera is larger. */
const maxNalBytes = 16 * 1024 * 1024;

/** A NAL unit that comes in several packets (FU). */
export class FragmentedNal {
  #parts: Buffer[] = [];
  #bytes = 0;

  /**
   * @param header the NAL unit's own, made of what is in each packet of it.
   * @returns the NAL unit when it is whole.
   */
  push(header: Buffer, payload: Buffer, isFirst: boolean, isLast: boolean): Buffer | undefined {
    if (isFirst) this.#parts = [header];
    // Its beginning was lost.
    else if (this.#parts.length === 0) return undefined;
    this.#bytes = (isFirst ? 0 : this.#bytes) + payload.length;
    this.#parts.push(payload);
    if (this.#bytes > maxNalBytes) this.drop();
    if (!isLast || this.#parts.length === 0) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.drop();
    return whole;
  }

  /** A part of it is missing. */
  drop(): void {
    this.#parts = [];
    this.#bytes = 0;
  }
}
