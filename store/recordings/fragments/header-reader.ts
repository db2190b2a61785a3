import type { FileHandle } from 'node:fs/promises';

/** Of a file that is in memory, some seconds of a camera. */
const blockBytes = 1024 * 1024;

/** Kept between two files: fresh memory costs more than what is copied into it. */
let spare: Buffer | undefined;

/** Reads what follows in a file, in order; what it returns is valid until the next call. */
export interface HeaderReader {
  /** From `offset` on, at least so many bytes if the file has them. @throws errors of the file system. */
  at(offset: number, bytes: number): Promise<Buffer>;
  close(): void;
}

/** For a file on a disk: only what is asked for. */
export const readHeaders = (handle: FileHandle): HeaderReader => ({
  at: (offset, bytes) => readInto(handle, offset, Buffer.allocUnsafe(bytes)),
  close: () => {},
});

/** For a file that was just written: to copy the pictures, too, costs less than to ask for each header. */
export function readWrittenHeaders(handle: FileHandle): HeaderReader {
  const space = spare ?? Buffer.allocUnsafeSlow(blockBytes);
  spare = undefined;
  let block: { readonly offset: number; readonly data: Buffer } = { offset: 0, data: space.subarray(0, 0) };
  return {
    async at(offset, bytes) {
      const first = offset - block.offset;
      if (first < 0 || first + bytes > block.data.length) {
        const into = bytes > blockBytes ? Buffer.allocUnsafe(bytes) : space;
        block = { offset, data: await readInto(handle, offset, into) };
      }
      return block.data.subarray(offset - block.offset);
    },
    close: () => {
      spare = space;
    },
  };
}

async function readInto(handle: FileHandle, offset: number, space: Buffer): Promise<Buffer> {
  const { bytesRead } = await handle.read(space, 0, space.length, offset);
  return space.subarray(0, bytesRead);
}
