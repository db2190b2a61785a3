import type { FileHandle } from 'node:fs/promises';

const chunkBytes = 256 * 1024;

/** Reads `from` to before `to`. @throws errors of the file system; if the file is shorter. */
export async function* readFileRange(handle: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const length = Math.min(chunkBytes, to - at);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    // Otherwise a response would end early without an error.
    if (bytesRead === 0) throw new Error('the file has become shorter');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
