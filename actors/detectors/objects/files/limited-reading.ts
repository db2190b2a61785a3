import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** There is more to read than may be, or no end to it. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly code = 'file_too_large';
}

const mebibyte = 1024 * 1024;
/** In bytes. */
export const limits = { model: 256 * mebibyte, 'list of labels': mebibyte };

/**
 * Reads a file, whatever its name stands for: a device or a pipe may never end.
 *
 * @param limit in bytes.
 * @throws {TooLargeError} or the file system's error.
 */
export async function readLimitedFile(path: string, limit: number): Promise<Buffer> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new TooLargeError('it is not a regular file');
  return readLimited(createReadStream(path), limit);
}

/** @throws {TooLargeError} as soon as there is more than `limit` bytes: what gives them is ended. */
export async function readLimited(source: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > limit) throw new TooLargeError(`it is larger than ${limit / mebibyte} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
