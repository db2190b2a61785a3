import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeAtomically } from '../../../../bus/base/files.ts';
import { limits, readLimited, readLimitedFile, TooLargeError } from '../files/limited-reading.ts';
import { ModelError } from '../files/model-error.ts';

const timeout = 60_000;

export interface DownloadTarget {
  /** The model's name and the kind of file, for messages. */
  readonly name: string;
  readonly what: 'model' | 'list of labels';
  /** An absolute path, or a URL of http or https. */
  readonly from: string;
  readonly sha256?: string | undefined;
  /** Folder of the downloads; each is named by its SHA-256, or by that of its URL. */
  readonly downloads: string;
}

/**
 * Reads a file from a path or a URL that the user has configured. Downloads are kept and not repeated.
 *
 * @throws {ModelError}
 */
export async function fetchFile(place: DownloadTarget): Promise<Uint8Array> {
  if (!/^https?:/.test(place.from)) {
    try {
      return checked(place, await readLimitedFile(place.from, limits[place.what]));
    } catch (cause) {
      if (cause instanceof ModelError) throw cause;
      const reason = cause instanceof TooLargeError ? `: ${cause.message}` : '';
      throw new ModelError(`${place.name}: the ${place.what} cannot be read: ${place.from}${reason}`, {
        cause,
      });
    }
  }
  const kept = join(place.downloads, place.sha256?.toLowerCase() ?? digest(place.from));
  try {
    return checked(place, await readLimitedFile(kept, limits[place.what]));
  } catch {
    const received = checked(place, await download(place));
    await writeAtomically(kept, received);
    return received;
  }
}

async function download({ name, what, from, sha256 }: DownloadTarget): Promise<Uint8Array> {
  try {
    // A redirect leads to a server that the user has not named; it is followed only if a checksum proves the content.
    const redirect = sha256 === undefined ? 'manual' : 'follow';
    const response = await fetch(from, { redirect, signal: AbortSignal.timeout(timeout) });
    if (response.ok && response.body) return await readLimited(response.body, limits[what]);
    // Frees the connection of a response whose body is not read.
    await response.body?.cancel();
    const elsewhere = response.headers.get('location');
    throw new Error(
      elsewhere ? `the server redirects to ${elsewhere}` : `the server answers ${response.status}`,
    );
  } catch (cause) {
    throw new ModelError(`${name}: the ${what} cannot be downloaded: ${reasonOf(cause)}`, { cause });
  }
}

/** `fetch` reports connection errors as "fetch failed"; the reason is in the error's cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  const deeper = cause?.message || cause?.code;
  return deeper ? `${message}: ${deeper}` : message;
}

function checked({ name, what, sha256 }: DownloadTarget, bytes: Uint8Array): Uint8Array {
  if (sha256 === undefined || digest(bytes) === sha256.toLowerCase()) return bytes;
  throw new ModelError(`${name}: the checksum of the ${what} is ${digest(bytes)}, expected ${sha256}`);
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
