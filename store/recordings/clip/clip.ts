import { createHash } from 'node:crypto';
import type { Footage } from '../playback/footage.ts';
import type { ClipFootage, OpenMedia } from './clip-footage.ts';
import { clipHeader } from './clip-header.ts';
import { type ClipPiece, collectClip } from './clip-media.ts';

/** One MP4 file made of recordings, of which only the header is in memory. */
export class Clip {
  /** When its first frame was taken: Unix time in microseconds. */
  readonly startUs: number;
  readonly length: number;
  /** Equal for equal content. */
  readonly hash: string;
  /** Of its own. */
  readonly memoryBytes: number;
  readonly #header: Buffer;
  readonly #pieces: readonly ClipPiece[];
  readonly #open: ClipFootage['open'];

  /** @param open of the footage, which is not kept: its indexes take a hundred times as much. */
  private constructor(
    startUs: number,
    header: Buffer,
    pieces: readonly ClipPiece[],
    open: ClipFootage['open'],
  ) {
    this.startUs = startUs;
    this.#header = header;
    this.#pieces = pieces;
    this.#open = open;
    this.length = pieces.reduce((sum, { bytes }) => sum + bytes, header.length);
    this.memoryBytes = header.length + pieces.length * 100;
    const hash = createHash('sha256').update(header);
    for (const { id, offset } of pieces) hash.update(`${id} ${offset} `);
    this.hash = hash.digest('base64url').slice(0, 22);
  }

  /**
   * @param source its footage is of one layout, see {@link layoutChanges}.
   * @returns undefined if no frame was taken in the span.
   */
  static async of({ footage, open }: ClipFootage): Promise<Clip | undefined> {
    const media = await collectClip(footage);
    const [first] = footage.parts;
    if (!media || !first) return undefined;
    return new Clip(media.startUs, clipHeader(media, first.index.movie), media.pieces, open);
  }

  /** Reads `from` to before `to`. @throws errors of the source, also if a recording has been deleted. */
  async *read(from: number, to: number): AsyncGenerator<Uint8Array> {
    if (from < this.#header.length) yield this.#header.subarray(from, to);
    let begin = this.#header.length;
    let open: { readonly id: string; readonly media: OpenMedia } | undefined;
    try {
      for (const { id, offset, bytes } of this.#pieces) {
        if (begin >= to) break;
        const [first, last] = [Math.max(from - begin, 0), Math.min(to - begin, bytes)];
        begin += bytes;
        if (first >= last) continue;
        if (open?.id !== id) {
          await open?.media.close();
          open = undefined;
          const media = await this.#open(id);
          if (!media) throw new Error(`the recording ${id} was deleted`);
          open = { id, media };
        }
        yield* open.media.read(offset + first, offset + last);
      }
    } finally {
      await open?.media.close();
    }
  }
}

/** When the size, the codec or the audio changes within a span: Unix times in microseconds. */
export function layoutChanges({ parts }: Footage): number[] {
  return parts
    .filter(({ index }, at) => at > 0 && index.movie.layout !== parts[at - 1]?.index.movie.layout)
    .map(({ startUs, fromUs = startUs }) => Math.max(startUs, fromUs));
}
