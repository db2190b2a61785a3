import { readFile } from 'node:fs/promises';

/** A file is not text. */
export class TextFileError extends Error {
  override readonly name = 'TextFileError';
  readonly code = 'not_text';
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a file that people write. A byte-order mark at its beginning, as editors of Windows leave it, is skipped. Bytes that
 * are not UTF-8 are refused: read as U+FFFD, they would be stored like this with the next change.
 *
 * @throws {TextFileError} with line and column. @throws errors of the file system.
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TextFileError(`${placeOf(bytes)}: expected UTF-8`, { cause });
  }
}

/** Of the first bytes that are not UTF-8. */
function placeOf(bytes: Buffer): string {
  const sound = bytes.toString('utf8');
  let end = 0;
  // A replacement character may also be in the file itself, which then has its three bytes.
  for (const character of sound) {
    const length = Buffer.byteLength(character);
    if (character === '\ufffd' && !bytes.subarray(end, end + length).equals(Buffer.from(character))) break;
    end += length;
  }
  const before = bytes.subarray(0, end).toString('utf8').split('\n');
  return `line ${before.length}, column ${[...(before.at(-1) ?? '')].length + 1}`;
}
