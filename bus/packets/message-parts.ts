/** Bytes behind one header, in as many messages as the server takes; nearly always one. */
export interface MessagePart {
  /** `+` when more of it follows; with its last part the message's header. */
  readonly header: string;
  readonly data: Uint8Array;
}

/** Servers take a megabyte at least. */
const maxPartBytes = 512 * 1024;

/** @param header not `+` */
export function partsOf(header: string, data: Uint8Array): MessagePart[] {
  const count = Math.max(1, Math.ceil(data.length / maxPartBytes));
  return Array.from({ length: count }, (_, index) => ({
    header: index < count - 1 ? '+' : header,
    data: data.subarray(index * maxPartBytes, (index + 1) * maxPartBytes),
  }));
}

/** Puts the messages of one subject together again. */
export class PartJoiner {
  #parts: Uint8Array[] = [];

  /** @returns the whole with its last part; undefined before. */
  join(data: Uint8Array, header: string): Uint8Array | undefined {
    this.#parts.push(data);
    if (header === '+') return undefined;
    const parts = this.#parts;
    this.#parts = [];
    return parts.length === 1 ? data : Buffer.concat(parts);
  }
}
