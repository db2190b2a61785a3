/** What a flatbuffer consists of: tables, lists of tables, and numbers; or something in the file that is added to. */
export type Part =
  | { readonly kind: 'old'; readonly position: number }
  | { readonly kind: 'table'; readonly fields: Readonly<Record<number, Part | number>> }
  | { readonly kind: 'list'; readonly parts: readonly Part[] }
  | { readonly kind: 'numbers'; readonly numbers: ArrayBufferView; readonly length: number };

export const table = (fields: Readonly<Record<number, Part | number>>): Part => ({ kind: 'table', fields });
export const list = (parts: readonly Part[]): Part => ({ kind: 'list', parts });
export const numbers = (values: ArrayBufferView & { readonly length: number }): Part => ({
  kind: 'numbers',
  numbers: values,
  length: values.length,
});
export const string = (text: string): Part => ({
  kind: 'numbers',
  numbers: Buffer.from(`${text}\0`),
  length: text.length,
});

/** The places of an old file's tables, lists and fields. */
export class FlatbufferReader {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get root(): number {
    return this.#follow(0);
  }

  /** @returns where a table's field points to. @throws when it has none. */
  field(position: number, field: number): number {
    const vtable = position - this.#view.getInt32(position, true);
    const offset = this.#view.getUint16(vtable + 4 + 2 * field, true);
    if (offset === 0) throw new Error(`there is no field ${field}`);
    return this.#follow(position + offset);
  }

  /** The tables of a list. */
  items(position: number): Part[] {
    const length = this.#view.getUint32(position, true);
    return Array.from({ length }, (_, index) => ({
      kind: 'old',
      position: this.#follow(position + 4 + 4 * index),
    }));
  }

  #follow(at: number): number {
    return at + this.#view.getUint32(at, true);
  }
}

const alignment = 16;

/**
 * Puts a new root in front of a file. What is new may point to what is old, and offsets only point forwards.
 *
 * @param identifier of four letters.
 */
export function prepend(root: Part, identifier: string, old: Uint8Array): Uint8Array {
  let bytes = Buffer.alloc(1 << 20);
  let end = 8;
  bytes.write(identifier, 4, 'latin1');
  const waiting: { at: number; part: Part }[] = [{ at: 0, part: root }];
  const references: { at: number; position: number }[] = [];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { at, part } = next;
    if (part.kind === 'old') {
      references.push({ at, position: part.position });
      continue;
    }
    const start = place(part);
    bytes.writeUInt32LE(start - at, at);
  }
  end = align(end);
  for (const { at, position } of references) bytes.writeUInt32LE(end + position - at, at);
  return Buffer.concat([bytes.subarray(0, end), old]);

  function align(position: number): number {
    return Math.ceil(position / alignment) * alignment;
  }

  function place(part: Exclude<Part, { kind: 'old' }>): number {
    if (part.kind === 'numbers') {
      const { buffer, byteOffset, byteLength } = part.numbers;
      const start = align(end + 4) - 4;
      bytes = Buffer.concat([bytes, Buffer.alloc(byteLength)]);
      bytes.writeUInt32LE(part.length, start);
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), start + 4);
      end = start + 4 + byteLength;
      return start;
    }
    if (part.kind === 'list') {
      const start = align(end);
      bytes.writeUInt32LE(part.parts.length, start);
      for (const [index, one] of part.parts.entries()) waiting.push({ at: start + 4 + 4 * index, part: one });
      end = start + 4 + 4 * part.parts.length;
      return start;
    }
    const fields = Object.entries(part.fields).map(([field, value]) => ({ field: Number(field), value }));
    const count = Math.max(...fields.map(({ field }) => field)) + 1;
    const vtable = align(end);
    const start = align(vtable + 4 + 2 * count);
    bytes.writeUInt16LE(4 + 2 * count, vtable);
    bytes.writeUInt16LE(4 + 4 * fields.length, vtable + 2);
    bytes.writeInt32LE(start - vtable, start);
    for (const [index, { field, value }] of fields.entries()) {
      const at = start + 4 + 4 * index;
      bytes.writeUInt16LE(at - start, vtable + 4 + 2 * field);
      if (typeof value === 'number') bytes.writeInt32LE(value, at);
      else waiting.push({ at, part: value });
    }
    end = start + 4 + 4 * fields.length;
    return start;
  }
}
