import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** The source exceeds the limit, or is not a regular file and may be endless. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly code = 'file_too_large';
}

const mebibyte = 1024 * 1024;
/** Bytes. */
export const limits = { model: 256 * mebibyte, 'list of labels': mebibyte };

/**
 * Reads a regular file. Devices and pipes are refused, because they may never end.
 *
 * @param limit in bytes.
 * @throws {TooLargeError} or the file system's error.
 */
export async function readLimitedFile(path: string, limit: number): Promise<Buffer> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new TooLargeError('it is not a regular file');
  return readLimited(createReadStream(path), limit);
}

/** @throws {TooLargeError} as soon as there are more than `limit` bytes; the source is then closed. */
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
