const firstBytes = 64 * 1024;
/** After a larger picture, the memory is given back. */
const maxKeptBytes = 2 * 1024 * 1024;

/** Bytes that are put together from many parts, in memory that is used again for the next ones. */
export class GrowingBuffer {
  #data: Buffer | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until something is appended after a `clear`. */
  get view(): Buffer {
    return this.#data ? this.#data.subarray(0, this.#length) : Buffer.alloc(0);
  }

  /** Appends what is in `source` from `begin` to `end`. */
  append(source: Buffer, begin = 0, end = source.length): void {
    const data = this.#room(end - begin);
    source.copy(data, this.#length, begin, end);
    this.#length += end - begin;
  }

  /** Appends a number of 32 bits. */
  appendNumber(value: number): void {
    this.#length = this.#room(4).writeUInt32BE(value, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#data && this.#data.length > maxKeptBytes) this.#data = undefined;
  }

  #room(bytes: number): Buffer {
    const needed = this.#length + bytes;
    const data = this.#data;
    if (data && data.length >= needed) return data;
    const larger = Buffer.allocUnsafeSlow(Math.max(firstBytes, 2 * needed));
    data?.copy(larger, 0, 0, this.#length);
    this.#data = larger;
    return larger;
  }
}
