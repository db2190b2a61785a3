import { GrowingBuffer } from './growing-buffer.ts';

/** No NAL unit of a camera is larger. */
const maxNalBytes = 16 * 1024 * 1024;

/** A NAL unit that comes in several packets (FU). */
export class FragmentedNal {
  readonly #bytes = new GrowingBuffer();

  /** Its first packet has come. @param header the NAL unit's own, made of what is in each packet of it. */
  begin(header: Buffer): void {
    this.#bytes.clear();
    this.#bytes.append(header);
  }

  /**
   * Takes what is in `data` from `begin` to `end`.
   *
   * @returns the NAL unit when it is whole, to be used before the next one begins.
   */
  push(data: Buffer, begin: number, end: number, isLast: boolean): Buffer | undefined {
    // Its beginning was lost.
    if (this.#bytes.length === 0) return undefined;
    this.#bytes.append(data, begin, end);
    if (this.#bytes.length > maxNalBytes) this.drop();
    if (!isLast || this.#bytes.length === 0) return undefined;
    const whole = this.#bytes.view;
    this.drop();
    return whole;
  }

  /** A part of it is missing. */
  drop(): void {
    this.#bytes.clear();
  }
}
