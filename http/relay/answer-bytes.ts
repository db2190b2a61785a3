import { Readable } from 'node:stream';
import type { RouteAnswer } from '../request/route.ts';

/** A playlist of 24 hours has less, and so has the index of a recording. */
const maxBytes = 32 * 1024 * 1024;

/** The body of an answer, of this or another machine. @throws if it is too long, or breaks off. */
export async function bytesOf({ body }: RouteAnswer): Promise<Buffer> {
  if (!(body instanceof Readable)) return Buffer.from(String(body ?? ''));
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error('the answer of another machine is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
