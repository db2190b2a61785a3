import { ask, getText, RequestFailure } from '../../data/request.ts';
import { underBase } from '../../data/under-base.ts';
import { firstPictureRange, type MovieHead, readHead } from './movie-bytes.ts';
import { type IndexedSegment, readPlaylist } from './playlist-index.ts';

/** The playlist of this much around a time is asked for, in microseconds. */
const aroundUs = 60e6;
/** Parts and beginnings of files that are remembered. */
const [maxSegments, maxHeads] = [1000, 50];
/** Read at first: nearly all key frames are in it, with their index. */
const firstBytes = 64_000;

/**
 * Pictures of recordings, decoded here: the key frame that begins the part of the playlist around a time (at least four
 * seconds), which is little to load and no work for the recorder. At most one is asked for at a time.
 */
export class KeyPictures {
  readonly #segments = new Map<string, IndexedSegment[]>();
  readonly #heads = new Map<string, MovieHead | undefined>();
  /** Codecs for which there is no decoder here. */
  readonly #unknown = new Set<string>();

  /**
   * @returns the picture, which the caller closes; `nothing` if nothing was recorded; `unknown` if this browser cannot decode it.
   * @throws {RequestFailure}
   */
  async at(monitorID: string, time: number): Promise<VideoFrame | 'nothing' | 'unknown'> {
    // Of pages without TLS, browsers keep it away.
    if (!('VideoDecoder' in globalThis)) return 'unknown';
    const segment = await this.#segmentAt(monitorID, time);
    if (!segment) return 'nothing';
    const head = await this.#headOf(segment);
    if (!head || this.#unknown.has(head.decoder.codec)) return 'unknown';
    const data = await keyFrame(segment, head);
    const picture = data && (await decoded(head, data));
    if (picture) return picture;
    this.#unknown.add(head.decoder.codec);
    return 'unknown';
  }

  async #segmentAt(monitorID: string, time: number): Promise<IndexedSegment | undefined> {
    const known = this.#segments.get(monitorID) ?? [];
    const isIn = ({ start, end }: IndexedSegment) => start <= time && time < end;
    const found = known.find(isIn);
    if (found) return found;
    const query = `start=${Math.max(0, Math.floor(time - aroundUs))}&end=${Math.ceil(time + aroundUs)}`;
    const path = `/api/monitor/${monitorID}/playlist.m3u8?${query}`;
    const text = await getText(path).catch((error: unknown) => {
      if (error instanceof RequestFailure && error.status === 404) return '';
      throw error;
    });
    const segments = readPlaylist(text, new URL(underBase(path), location.href).href);
    this.#segments.set(monitorID, [...known, ...segments].slice(-maxSegments));
    return segments.find(isIn);
  }

  async #headOf({ file, initBytes }: IndexedSegment): Promise<MovieHead | undefined> {
    if (this.#heads.has(file)) return this.#heads.get(file);
    const head = readHead(await bytesOf(file, 0, initBytes));
    const [oldest] = this.#heads.keys();
    if (this.#heads.size >= maxHeads && oldest !== undefined) this.#heads.delete(oldest);
    this.#heads.set(file, head);
    return head;
  }
}

async function keyFrame(segment: IndexedSegment, head: MovieHead): Promise<ArrayBuffer | undefined> {
  const { file, offset, bytes } = segment;
  const first = await bytesOf(file, offset, Math.min(bytes, firstBytes));
  const range = firstPictureRange(first, head);
  if (!range) return undefined;
  const end = range.offset + range.bytes;
  if (end <= first.byteLength) return first.slice(range.offset, end);
  return bytesOf(file, offset + range.offset, range.bytes);
}

async function bytesOf(file: string, offset: number, bytes: number): Promise<ArrayBuffer> {
  const Range = `bytes=${offset}-${offset + bytes - 1}`;
  return (await ask(file, { headers: { Range } })).arrayBuffer();
}

/**
 * One picture. Everything is flushed out of the decoder, because with frames that refer to later ones it would hold the picture
 * back otherwise.
 *
 * @returns undefined if it cannot be decoded here.
 */
async function decoded({ decoder }: MovieHead, data: ArrayBuffer): Promise<VideoFrame | undefined> {
  const config = { ...decoder, optimizeForLatency: true };
  const { supported } = await VideoDecoder.isConfigSupported(config).catch(() => ({ supported: false }));
  if (!supported) return undefined;
  let picture: VideoFrame | undefined;
  const made = new VideoDecoder({
    output(frame) {
      picture?.close();
      picture = frame;
    },
    error() {},
  });
  try {
    made.configure(config);
    made.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data }));
    await made.flush();
  } catch {
    // Damaged, or of a profile that the browser does not know.
  }
  if (made.state !== 'closed') made.close();
  return picture;
}
