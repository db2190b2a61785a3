import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../../store/files.ts';
import { ModelError } from './model-error.ts';

const timeout = 60_000;
const largest = 256 * 1024 * 1024;

export interface Place {
  /** The model's name, and what is fetched, for messages. */
  readonly name: string;
  readonly what: 'model' | 'list of labels';
  /** An absolute path, or a URL of http or https. */
  readonly from: string;
  readonly sha256?: string | undefined;
  /** The folder in which downloads are kept, under their checksum. */
  readonly downloads: string;
}

/**
 * What a place named by the user holds. Something that was downloaded once is not asked for again.
 *
 * @throws {ModelError}
 */
export async function fetchFile(place: Place): Promise<Uint8Array> {
  if (!/^https?:/.test(place.from)) {
    try {
      return checked(place, await readFile(place.from));
    } catch (cause) {
      if (cause instanceof ModelError) throw cause;
      throw new ModelError(`${place.name}: the ${place.what} cannot be read: ${place.from}`, { cause });
    }
  }
  const kept = join(place.downloads, place.sha256?.toLowerCase() ?? digest(place.from));
  try {
    return checked(place, await readFile(kept));
  } catch {
    const received = checked(place, await download(place));
    await writeAtomically(kept, received);
    return received;
  }
}

async function download({ name, what, from }: Place): Promise<Uint8Array> {
  try {
    // Who redirects leads somewhere that the user has not named.
    const response = await fetch(from, { redirect: 'error', signal: AbortSignal.timeout(timeout) });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    if (Number(response.headers.get('content-length')) > largest) throw new Error('it is too large');
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new ModelError(`${name}: the ${what} cannot be downloaded: ${(cause as Error).message}`, { cause });
  }
}

function checked({ name, what, sha256 }: Place, bytes: Uint8Array): Uint8Array {
  if (sha256 === undefined || digest(bytes) === sha256.toLowerCase()) return bytes;
  throw new ModelError(`${name}: the checksum of the ${what} is ${digest(bytes)}, and should be ${sha256}`);
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
