import { ask, getText, RequestFailure } from '../../data/request.ts';
import { underBase } from '../../data/under-base.ts';
import { holeUs } from './footage-index.ts';
import { firstPictureRange, type MovieHead, readHead } from './movie-bytes.ts';
import { type IndexedSegment, readPlaylist } from './playlist-index.ts';

/** The playlist of this much around a time is asked for, in microseconds. */
const aroundUs = 60e6;
/** Key frames and beginnings of files that are remembered. */
const [maxFrames, maxHeads] = [3000, 50];

/**
 * Pictures of recordings, decoded here: the key frame next to a time, which is little to load and no work for the recorder. At
 * most one is asked for at a time.
 */
export class KeyPictures {
  /** By monitor, the oldest first. */
  readonly #frames = new Map<string, readonly IndexedSegment[]>();
  readonly #heads = new Map<string, MovieHead | undefined>();
  /** Codecs for which there is no decoder here. */
  readonly #unknown = new Set<string>();
  #last: IndexedSegment | undefined;

  /**
   * @returns the picture, which the caller closes; `same` if it is that of the call before; `nothing` if nothing was recorded;
   * `unknown` if this browser cannot decode it.
   * @throws {RequestFailure}
   */
  async at(monitorID: string, time: number): Promise<VideoFrame | 'same' | 'nothing' | 'unknown'> {
    // Of pages without TLS, browsers keep it away.
    if (!('VideoDecoder' in globalThis)) return 'unknown';
    const before = this.#last;
    this.#last = undefined;
    const frame = await this.#frameAt(monitorID, time);
    if (!frame) return 'nothing';
    const head = await this.#headOf(frame);
    if (!head || this.#unknown.has(head.decoder.codec)) return 'unknown';
    this.#last = frame;
    if (frame === before) return 'same';
    const data = await keyFrame(frame, head);
    const picture = data && (await decoded(head, data));
    if (picture) return picture;
    this.#unknown.add(head.decoder.codec);
    return 'unknown';
  }

  async #frameAt(monitorID: string, time: number): Promise<IndexedSegment | undefined> {
    const known = this.#frames.get(monitorID) ?? [];
    const found = nearest(known, time);
    if (found) return found;
    const span = `start=${Math.max(0, Math.floor(time - aroundUs))}&end=${Math.ceil(time + aroundUs)}`;
    const path = `/api/monitor/${monitorID}/playlist.m3u8?${span}&frames=key`;
    const text = await getText(path).catch((error: unknown) => {
      if (error instanceof RequestFailure && error.status === 404) return '';
      throw error;
    });
    const frames = readPlaylist(text, new URL(underBase(path), location.href).href);
    const starts = new Set(frames.map(({ start }) => start));
    const kept = known.filter(({ start }) => !starts.has(start)).slice(frames.length - maxFrames);
    const all = [...kept, ...frames].sort((a, b) => a.start - b.start);
    this.#frames.set(monitorID, all);
    return nearest(all, time);
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

/** @returns undefined if nothing is known to be recorded at this time. */
function nearest(frames: readonly IndexedSegment[], time: number): IndexedSegment | undefined {
  const index = frames.findIndex(({ start, end }) => start <= time && time < end);
  const [before, after] = [frames[index], frames[index + 1]];
  if (!before || !after || after.start - before.end > holeUs) return before;
  return time - before.start <= after.start - time ? before : after;
}

async function keyFrame(frame: IndexedSegment, head: MovieHead): Promise<ArrayBuffer | undefined> {
  const bytes = await bytesOf(frame.file, frame.offset, frame.bytes);
  const range = firstPictureRange(bytes, head);
  return range && bytes.slice(range.offset, range.offset + range.bytes);
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
