/** ISO base media file format (ISO/IEC 14496-12): boxes, each a length, a type of four letters and its content. */

/** The stream is not the fragmented MP4 that it should be. */
export class FragmentError extends Error {
  override readonly name = 'FragmentError';
  readonly code = 'fragment_invalid';
}

export interface Mp4Box {
  readonly type: string;
  /** Where its content begins and ends in the buffer that was searched. */
  readonly start: number;
  readonly end: number;
}

/** The boxes that lie side by side between two offsets. @throws {FragmentError} */
export function* boxesIn(data: Buffer, start: number, end: number): Generator<Mp4Box> {
  for (let at = start; at < end; ) {
    if (end - at < 8) throw new FragmentError('a box is cut off');
    const length = data.readUInt32BE(at);
    if (length < 8 || length > end - at) throw new FragmentError('a box is longer than what holds it');
    yield { type: data.toString('latin1', at + 4, at + 8), start: at + 8, end: at + length };
    at += length;
  }
}

/** The box at this path of types. @throws {FragmentError} when there is none, or it is shorter than `minBytes`. */
export function findBox(data: Buffer, path: readonly string[], minBytes = 0): Mp4Box {
  const found = path.reduce<Mp4Box | undefined>((outer, type) => outer && childOf(data, outer, type), {
    type: '',
    start: 0,
    end: data.length,
  });
  if (!found || found.end - found.start < minBytes) throw new FragmentError(`there is no ${path.join('/')}`);
  return found;
}

export function childOf(data: Buffer, outer: Mp4Box, type: string): Mp4Box | undefined {
  for (const box of boxesIn(data, outer.start, outer.end)) if (box.type === type) return box;
  return undefined;
}

/** Reads fields one after the other and never past the box's end. */
export class BoxReader {
  readonly #data: Buffer;
  readonly #end: number;
  #at: number;
  readonly version: number;
  readonly flags: number;

  /** A box with version and flags. */
  constructor(data: Buffer, box: Mp4Box) {
    this.#data = data;
    this.#at = box.start;
    this.#end = box.end;
    const word = this.u32();
    this.version = word >>> 24;
    this.flags = word & 0xffffff;
  }

  get offset(): number {
    return this.#at;
  }

  u32(): number {
    return this.#data.readUInt32BE(this.#take(4));
  }

  /** Exact up to 2^53: three thousand years of a 90 kHz clock. */
  u64(): number {
    return Number(this.#data.readBigUInt64BE(this.#take(8)));
  }

  skip(bytes: number): this {
    this.#take(bytes);
    return this;
  }

  #take(bytes: number): number {
    if (this.#end - this.#at < bytes) throw new FragmentError('a box is shorter than its fields');
    this.#at += bytes;
    return this.#at - bytes;
  }
}
