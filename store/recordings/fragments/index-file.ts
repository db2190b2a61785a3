import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../../../bus/base/files.ts';
import { boxAt, boxesIn } from '../mp4/box-reader.ts';
import { type FragmentIndex, fragmentAt, type IndexedFragment, indexOf } from './fragment-index.ts';

/**
 * An index on disk: the recording without the content of its `mdat` boxes. It is read in one piece, where the recording's
 * own headers are a megabyte apart.
 */

const mdatHeaderBytes = 8;

/** @returns undefined if there is none, or a damaged one. */
export async function readIndexFile(path: string): Promise<FragmentIndex | undefined> {
  const data = await readFile(path).catch(() => undefined);
  return data && parseIndex(data);
}

/** @param data the content of such a file. @returns undefined if it is damaged. */
export function parseIndex(data: Buffer): FragmentIndex | undefined {
  const moov = boxesIn(data).find(({ type }) => type === 'moov');
  const index = moov && indexOf(data.subarray(0, moov.end));
  if (!index) return undefined;
  const fragments: IndexedFragment[] = [];
  let end = index.end;
  for (let at = index.end; at < data.length; ) {
    const moof = boxAt(data, at);
    if (!moof) return undefined;
    const fragment = fragmentAt(index.movie, data.subarray(at, moof.end + mdatHeaderBytes), end);
    if (!fragment) return undefined;
    fragments.push(fragment);
    end += fragment.bytes;
    at = moof.end + mdatHeaderBytes;
  }
  return { ...index, fragments, end };
}

/** @throws errors of the file system. */
export async function writeIndexFile(path: string, index: FragmentIndex): Promise<void> {
  const data = formatIndex(index);
  if (data) await writeAtomically(path, data);
}

/** @returns undefined for recordings with other boxes between their fragments, which have no such form. */
export function formatIndex({ init, fragments, end }: FragmentIndex): Buffer | undefined {
  const pieces = [init];
  let sum = init.length;
  for (const { header, bytes } of fragments) {
    const mdat = Buffer.alloc(mdatHeaderBytes);
    mdat.writeUInt32BE(bytes - header.length);
    mdat.write('mdat', 4, 'latin1');
    pieces.push(header, mdat);
    sum += bytes;
  }
  return sum === end ? Buffer.concat(pieces) : undefined;
}
