/** Boxes of the ISO base media file format (ISO/IEC 14496-12) in a buffer. */

export interface Mp4Box {
  readonly type: string;
  readonly start: number;
  /** Where its content begins. */
  readonly content: number;
  /** May be beyond the end of the buffer. */
  readonly end: number;
}

const headerBytes = 8;
const longHeaderBytes = 16;

/** @returns undefined if no whole box header is there, or one that cannot be right. */
export function boxAt(data: Buffer, start: number): Mp4Box | undefined {
  if (start + headerBytes > data.length) return undefined;
  const size = data.readUInt32BE(start);
  const type = data.toString('latin1', start + 4, start + headerBytes);
  if (size !== 1) {
    // A box of size 0, which reaches to the end of its file, is in no file that grows.
    if (size < headerBytes) return undefined;
    return { type, start, content: start + headerBytes, end: start + size };
  }
  if (start + longHeaderBytes > data.length) return undefined;
  const longSize = Number(data.readBigUInt64BE(start + headerBytes));
  if (longSize < longHeaderBytes || !Number.isSafeInteger(longSize)) return undefined;
  return { type, start, content: start + longHeaderBytes, end: start + longSize };
}

/** The boxes that are whole within a part of the buffer. */
export function boxesIn(data: Buffer, start = 0, end = data.length): Mp4Box[] {
  const boxes: Mp4Box[] = [];
  for (let at = start; at < end; ) {
    const box = boxAt(data, at);
    if (!box || box.end > end) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

/** The first box at the end of a path of types, inside another one. */
export function boxInside(data: Buffer, outer: Mp4Box, ...path: readonly string[]): Mp4Box | undefined {
  let found: Mp4Box | undefined = outer;
  for (const type of path) {
    found = found && boxesIn(data, found.content, found.end).find((box) => box.type === type);
  }
  return found;
}

export const bytesOfBox = (data: Buffer, { start, end }: Mp4Box): Buffer => data.subarray(start, end);
