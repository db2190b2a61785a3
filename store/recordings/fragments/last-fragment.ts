import type { FileHandle } from 'node:fs/promises';
import { type FragmentIndex, fragmentAt, type IndexedFragment } from './fragment-index.ts';

/** Most fragments are shorter; of longer ones more is read. */
const probeBytes = 512 * 1024;
const maxProbeBytes = 32 * 1024 * 1024;

/**
 * Finds the last whole fragment of a recording from its end, without a look at the others: an archive of 200,000 recordings has
 * a hundred million of them.
 *
 * @param begun the index without fragments. @returns undefined if none is found in the last 32 MB.
 * @throws errors of the file system.
 */
export async function findLastFragment(
  handle: FileHandle,
  size: number,
  { movie, init }: FragmentIndex,
): Promise<IndexedFragment | undefined> {
  for (let length = probeBytes; ; length *= 4) {
    const from = Math.max(init.length, size - length);
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(Math.max(0, size - from)),
      0,
      size - from,
      from,
    );
    const tail = buffer.subarray(0, bytesRead);
    for (let at = tail.lastIndexOf('moof'); at >= 4; at = tail.lastIndexOf('moof', at - 1)) {
      const offset = from + at - 4;
      const fragment = fragmentAt(movie, tail.subarray(at - 4), offset);
      if (fragment && offset + fragment.bytes <= size) return fragment;
    }
    if (from === init.length || length >= maxProbeBytes) return undefined;
  }
}
