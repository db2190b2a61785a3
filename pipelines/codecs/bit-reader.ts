/** Reads the bits of a parameter set or slice header (Rec. ITU-T H.264, section 7.2 and 9.1; H.265 is the same). */
export class BitReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  /** @param count up to 32. @throws {RangeError} after the end */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) value = value * 2 + this.#bit();
    return value;
  }

  flag(): boolean {
    return this.#bit() === 1;
  }

  skipBits(count: number): void {
    this.#at += count;
  }

  /** An unsigned Exp-Golomb number, ue(v). @throws {RangeError} when it is longer than any that is allowed. */
  unsigned(): number {
    let zeros = 0;
    while (this.#bit() === 0) {
      zeros += 1;
      if (zeros > 32) throw new RangeError('a number of more than 32 bits');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** A signed Exp-Golomb number, se(v). */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #bit(): number {
    const byte = this.#data[this.#at >> 3];
    if (byte === undefined) throw new RangeError('the end of the data');
    const bit = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }
}

/** Takes out the bytes that keep start codes from appearing inside of a NAL unit (section 7.4.1). */
export function withoutEmulation(nal: Buffer): Buffer {
  if (nal.indexOf(emulation) < 0) return nal;
  const kept: Buffer[] = [];
  let from = 0;
  for (let at = nal.indexOf(emulation); at >= 0; at = nal.indexOf(emulation, at + 3)) {
    kept.push(nal.subarray(from, at + 2));
    from = at + 3;
  }
  kept.push(nal.subarray(from));
  return Buffer.concat(kept);
}

const emulation = Buffer.from([0, 0, 3]);
