/** More of one kind have no number of their own (H.264: 32 and 256, cameras use one or two). */
const maxSets = 64;
/** A decoder configuration record counts their bytes in 16 bits; real ones take a hundred. */
const maxSetBytes = 4096;

/** The parameter sets of a stream, by kind and number. */
export class ParameterSets {
  readonly #sets = new Map<string, Buffer>();

  /** @returns whether it is new, or another than before. One that is too long, or one too many, is not taken. */
  put(kind: string, id: number, nal: Buffer): boolean {
    const key = `${kind} ${id}`;
    if (this.#sets.get(key)?.equals(nal)) return false;
    if (nal.length > maxSetBytes || (this.#sets.size >= maxSets && !this.#sets.has(key))) return false;
    // A copy: what it came in is far larger.
    this.#sets.set(key, Buffer.from(nal));
    return true;
  }

  /** @returns undefined where none of this kind and number was taken. */
  get(kind: string, id: number): Buffer | undefined {
    return this.#sets.get(`${kind} ${id}`);
  }

  /** In the order of their first appearance. */
  ofKind(kind: string): Buffer[] {
    return [...this.#sets].filter(([key]) => key.startsWith(`${kind} `)).map(([, nal]) => nal);
  }
}
