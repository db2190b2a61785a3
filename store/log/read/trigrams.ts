/**
 * The pieces of three and four characters in texts, as a set of bits with one bit for each hash. A text whose pieces are not
 * all in the set is in none of the texts. (A text whose pieces are all in the set may still be in none.)
 */

/** Stored in the database: another number, or another hash, needs another table. */
const bits = 65_536;
/** More pieces of a searched text do not narrow the search further. */
const maxTrigrams = 48;

const spread = 0x9e37_79b1;

/** @returns the hash of the three characters before `end`, and of the four. */
function hashes(text: string, end: number): [three: number, four: number] {
  const three =
    (text.charCodeAt(end - 3) * 0x0100_0193) ^ (text.charCodeAt(end - 2) * 0x01f1) ^ text.charCodeAt(end - 1);
  const four = Math.imul(three, 0x0101) ^ (end >= 4 ? text.charCodeAt(end - 4) << 17 : 0);
  return [Math.imul(three, spread) >>> 16, Math.imul(four, spread) >>> 16];
}

/** Collects the trigrams of texts. */
export class Trigrams {
  /** In the layout of DuckDB's BIT: a byte with the number of unused bits, then the bits, first bit first. */
  readonly data = new Uint8Array(1 + bits / 8);

  add(text: string): void {
    for (let end = 3; end <= text.length; end += 1) {
      const [three, four] = hashes(text, end);
      this.#set(three);
      if (end >= 4) this.#set(four);
    }
  }

  #set(bit: number): void {
    const place = 1 + (bit >>> 3);
    this.data[place] = (this.data[place] ?? 0) | (0x80 >>> (bit & 7));
  }
}

/** @returns the bits that a text containing this one has set; none if it has fewer than three characters. */
export function trigramsOf(text: string): number[] {
  const found = new Set<number>();
  for (let end = 3; end <= text.length && found.size < maxTrigrams; end += 1) {
    const [three, four] = hashes(text, end);
    found.add(end >= 4 ? four : three);
  }
  return [...found];
}
