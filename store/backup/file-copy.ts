import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const chunkBytes = 1024 * 1024;

/** Copies a file's content to a new file in a folder that exists. It is on the disk when this resolves. @throws errors of the file system. */
export async function copyFile(
  from: string,
  to: string,
  { mode, onBytes = () => {} }: { readonly mode: number; readonly onBytes?: (bytes: number) => void },
): Promise<void> {
  const source = await open(from, 'r');
  try {
    const target = await open(to, 'wx', mode);
    try {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      for (;;) {
        const { bytesRead } = await source.read(chunk, 0, chunkBytes);
        if (bytesRead === 0) break;
        await target.writeFile(chunk.subarray(0, bytesRead));
        onBytes(bytesRead);
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** SHA-256 of a file's content, in hexadecimal digits. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
