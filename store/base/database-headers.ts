import { open } from 'node:fs/promises';

/** The file's header and those of its two last checkpoints, one of which each checkpoint replaces. */
const headerBytes = 3 * 4096;

/**
 * The headers of a DuckDB file. While they stay the same there was no checkpoint: DuckDB has written to free blocks only.
 *
 * @throws errors of the file system.
 */
export async function headersOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return buffer;
  } finally {
    await file.close();
  }
}
