import { boxesIn, boxInside, bytesOfBox, type Mp4Box } from './box-reader.ts';

/** One track of a fragmented file, as its `moov` describes it. */
export interface MovieTrack {
  readonly id: number;
  readonly ticksPerSecond: number;
  /** In 65536ths of a pixel; 0 of audio. */
  readonly width: number;
  readonly height: number;
  /** The box `stsd`: how its samples are encoded. */
  readonly descriptions: Buffer;
  /** What holds for samples whose fragment does not say otherwise. */
  readonly defaults: SampleDefaults;
}

export interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

export interface MovieHeader {
  readonly video: MovieTrack;
  readonly audio: MovieTrack | undefined;
  /** Equal in files whose samples can be in one track. */
  readonly layout: string;
}

/**
 * Reads the init segment of a recording (`ftyp` and `moov`).
 *
 * @returns undefined if it is damaged or has no video. @throws {RangeError} if a box is too short.
 */
export function readMovieHeader(init: Buffer): MovieHeader | undefined {
  const moov = boxesIn(init).find(({ type }) => type === 'moov');
  if (!moov) return undefined;
  const inMovie = boxesIn(init, moov.content, moov.end);
  const extends_ = inMovie.find(({ type }) => type === 'mvex');
  const defaults = new Map(
    (extends_ ? boxesIn(init, extends_.content, extends_.end) : [])
      .filter(({ type }) => type === 'trex')
      .map(({ content }) => [init.readUInt32BE(content + 4), readDefaults(init, content)]),
  );
  const tracks = inMovie.filter(({ type }) => type === 'trak').map((trak) => readTrack(init, trak, defaults));
  const video = tracks.find((track) => track?.handler === 'vide')?.track;
  const audio = tracks.find((track) => track?.handler === 'soun')?.track;
  if (!video) return undefined;
  const layout = [video, audio]
    .map((track) => track && `${track.ticksPerSecond} ${track.descriptions.toString('base64')}`)
    .join();
  return { video, audio, layout };
}

/** ISO/IEC 14496-12, section 8.8.3. */
function readDefaults(init: Buffer, content: number): SampleDefaults {
  return {
    duration: init.readUInt32BE(content + 12),
    size: init.readUInt32BE(content + 16),
    flags: init.readUInt32BE(content + 20),
  };
}

function readTrack(
  init: Buffer,
  trak: Mp4Box,
  defaults: ReadonlyMap<number, SampleDefaults>,
): { readonly handler: string; readonly track: MovieTrack } | undefined {
  const header = boxInside(init, trak, 'tkhd');
  const mediaHeader = boxInside(init, trak, 'mdia', 'mdhd');
  const handler = boxInside(init, trak, 'mdia', 'hdlr');
  const descriptions = boxInside(init, trak, 'mdia', 'minf', 'stbl', 'stsd');
  if (!header || !mediaHeader || !handler || !descriptions) return undefined;
  // Version 1 has 64-bit times.
  const id = init.readUInt32BE(header.content + (init[header.content] === 1 ? 20 : 12));
  const track = {
    id,
    ticksPerSecond: init.readUInt32BE(mediaHeader.content + (init[mediaHeader.content] === 1 ? 20 : 12)),
    width: init.readUInt32BE(header.end - 8),
    height: init.readUInt32BE(header.end - 4),
    descriptions: Buffer.from(bytesOfBox(init, descriptions)),
    defaults: defaults.get(id) ?? { duration: 0, size: 0, flags: 0 },
  };
  return { handler: init.toString('latin1', handler.content + 8, handler.content + 12), track };
}
