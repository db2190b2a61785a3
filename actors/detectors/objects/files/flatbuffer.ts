/**
 * Reads untrusted FlatBuffers: an offset that points outside the file is a RangeError.
 *
 * https://flatbuffers.dev/internals/
 */
export class FlatbufferTable {
  readonly #view: DataView;
  readonly #position: number;
  readonly #vtable: number;
  readonly #fields: number;

  private constructor(view: DataView, position: number) {
    this.#view = view;
    this.#position = position;
    this.#vtable = position - view.getInt32(position, true);
    this.#fields = (view.getUint16(this.#vtable, true) - 4) / 2;
  }

  /** The root table of a file. @throws {RangeError} */
  static root(bytes: Uint8Array): FlatbufferTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatbufferTable(view, view.getUint32(0, true));
  }

  int8(field: number, otherwise = 0): number {
    const at = this.#find(field);
    return at === undefined ? otherwise : this.#view.getInt8(at);
  }

  int32(field: number, otherwise = 0): number {
    const at = this.#find(field);
    return at === undefined ? otherwise : this.#view.getInt32(at, true);
  }

  float32(field: number, otherwise = 0): number {
    const at = this.#find(field);
    return at === undefined ? otherwise : this.#view.getFloat32(at, true);
  }

  text(field: number): string {
    return new TextDecoder().decode(this.bytes(field));
  }

  /** A view into the file; empty if the field is absent. */
  bytes(field: number): Uint8Array {
    const { start, length } = this.#vector(field, 1);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length);
  }

  int32s(field: number): number[] {
    const { start, length } = this.#vector(field, 4);
    return Array.from({ length }, (_, index) => this.#view.getInt32(start + 4 * index, true));
  }

  int64s(field: number): number[] {
    const { start, length } = this.#vector(field, 8);
    return Array.from({ length }, (_, index) => Number(this.#view.getBigInt64(start + 8 * index, true)));
  }

  float32s(field: number): number[] {
    const { start, length } = this.#vector(field, 4);
    return Array.from({ length }, (_, index) => this.#view.getFloat32(start + 4 * index, true));
  }

  table(field: number): FlatbufferTable | undefined {
    const at = this.#find(field);
    return at === undefined ? undefined : this.#follow(at);
  }

  tables(field: number): FlatbufferTable[] {
    const { start, length } = this.#vector(field, 4);
    return Array.from({ length }, (_, index) => this.#follow(start + 4 * index));
  }

  #follow(at: number): FlatbufferTable {
    return new FlatbufferTable(this.#view, at + this.#view.getUint32(at, true));
  }

  #find(field: number): number | undefined {
    if (field >= this.#fields) return undefined;
    const offset = this.#view.getUint16(this.#vtable + 4 + 2 * field, true);
    return offset === 0 ? undefined : this.#position + offset;
  }

  #vector(field: number, size: number): { start: number; length: number } {
    const at = this.#find(field);
    if (at === undefined) return { start: 0, length: 0 };
    const vector = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(vector, true);
    const start = vector + 4;
    if (start + length * size > this.#view.byteLength) throw new RangeError('a list exceeds the file');
    return { start, length };
  }
}
