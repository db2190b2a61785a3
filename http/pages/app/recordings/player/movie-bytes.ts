/** The little that a player has to know of MP4 (ISO/IEC 14496-12). */

export interface MovieHead {
  /** With codecs, for Media Source Extensions. */
  readonly mime: string;
  readonly codec: string;
  /** The video's codec, and what its decoder has to know before the first picture, for WebCodecs. */
  readonly decoder: { readonly codec: string; readonly description: DataView };
  /** Ticks per second of the video. */
  readonly timescale: number;
  readonly trackID: number;
}

interface Box {
  readonly type: string;
  readonly body: DataView;
}

function* boxesOf(view: DataView): Generator<Box> {
  let at = 0;
  while (at + 8 <= view.byteLength) {
    const size = view.getUint32(at);
    const type = fourLetters(view, at + 4);
    if (size < 8 || at + size > view.byteLength) return;
    yield { type, body: new DataView(view.buffer, view.byteOffset + at + 8, size - 8) };
    at += size;
  }
}

function find(view: DataView, ...path: readonly string[]): DataView | undefined {
  const [type, ...rest] = path;
  if (type === undefined) return view;
  for (const box of boxesOf(view)) if (box.type === type) return find(box.body, ...rest);
  return undefined;
}

function fourLetters(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(at + index)));
}

const hex = (value: number) => value.toString(16).padStart(2, '0').toUpperCase();

/** @returns undefined if there is no video in it. */
export function readHead(bytes: ArrayBuffer): MovieHead | undefined {
  const movie = find(new DataView(bytes), 'moov');
  if (!movie) return undefined;
  const tracks = [...boxesOf(movie)].filter(({ type }) => type === 'trak').map(({ body }) => readTrack(body));
  const video = tracks.find((track) => track?.isVideo);
  if (!video) return undefined;
  const codecs = tracks.flatMap((track) => track?.codecs ?? []);
  const { codec, timescale, trackID } = video;
  const decoder = { codec: video.codecs, description: video.setup };
  return { mime: `video/mp4; codecs="${codecs.join(', ')}"`, codec, decoder, timescale, trackID };
}

function readTrack(track: DataView) {
  const header = find(track, 'tkhd');
  const media = find(track, 'mdia');
  const times = media && find(media, 'mdhd');
  const description = media && find(media, 'minf', 'stbl', 'stsd');
  if (!header || !times || !description) return undefined;
  // Version, flags and the number of entries come first.
  const [entry] = boxesOf(
    new DataView(description.buffer, description.byteOffset + 8, description.byteLength - 8),
  );
  if (!entry) return undefined;
  return {
    ...codecOf(entry),
    trackID: header.getUint32(header.getUint8(0) === 1 ? 20 : 12),
    timescale: times.getUint32(times.getUint8(0) === 1 ? 20 : 12),
  };
}

/** Fields of a video entry before the boxes in it. */
const videoFields = 78;
const nothing = new DataView(new ArrayBuffer(0));

function codecOf({ type, body }: Box) {
  if (/^(avc|hev|hvc)/.test(type)) {
    const inside = new DataView(body.buffer, body.byteOffset + videoFields, body.byteLength - videoFields);
    const isH264 = type.startsWith('avc');
    const setup = find(inside, isH264 ? 'avcC' : 'hvcC');
    const byte = (at: number) => setup?.getUint8(at) ?? 0;
    const profile = [1, 2, 3].map((at) => hex(byte(at))).join('');
    const codecs = isH264 ? `${type}.${profile}` : `${type}.${byte(1) & 31}.6.L${byte(12)}.B0`;
    return { codecs, codec: isH264 ? 'H.264' : 'H.265', setup: setup ?? nothing, isVideo: true };
  }
  const codecs = type === 'mp4a' ? 'mp4a.40.2' : type.toLowerCase();
  return { codecs, codec: type, setup: nothing, isVideo: false };
}

/** Where in a fragment the first picture of the video is, counted from the beginning of its `moof`. */
export interface PictureRange {
  readonly offset: number;
  readonly bytes: number;
}

/** @param bytes at least the whole `moof`. @returns undefined if there is no picture. */
export function firstPictureRange(bytes: ArrayBuffer, head: MovieHead): PictureRange | undefined {
  const run = firstRun(bytes, head)?.run;
  if (!run) return undefined;
  const fields = runFields(run);
  const size = fields.size === undefined ? 0 : run.getUint32(fields.size);
  return fields.offset === undefined || size === 0
    ? undefined
    : { offset: run.getInt32(fields.offset), bytes: size };
}

/** When the first picture of a fragment is shown, in seconds of the file's own time. */
export function firstPictureS(bytes: ArrayBuffer, head: MovieHead): number | undefined {
  const found = firstRun(bytes, head);
  if (!found) return undefined;
  const { decoded, run } = found;
  const ticks = decoded.getUint8(0) === 1 ? Number(decoded.getBigUint64(4)) : decoded.getUint32(4);
  const at = run && runFields(run).composition;
  // How much later than it is decoded the picture is shown.
  return (ticks + (at === undefined ? 0 : (run?.getInt32(at) ?? 0))) / head.timescale;
}

/** The decode time of the first fragment with pictures, and the table of its pictures. */
function firstRun(bytes: ArrayBuffer, { trackID }: MovieHead) {
  for (const { type, body } of boxesOf(new DataView(bytes))) {
    if (type !== 'moof') continue;
    for (const { type: inner, body: track } of boxesOf(body)) {
      if (inner !== 'traf' || find(track, 'tfhd')?.getUint32(4) !== trackID) continue;
      const decoded = find(track, 'tfdt');
      if (decoded) return { decoded, run: find(track, 'trun') };
    }
  }
  return undefined;
}

/** Where in a table its own data offset is, and the size and the composition offset of the first picture. */
function runFields(run: DataView) {
  const flags = run.getUint32(0) & 0xffffff;
  // Flags and count, then what the flags announce: offset of the data, flags of the first, then per picture.
  let at = 8;
  const field = (flag: number) => {
    if ((flags & flag) === 0 || at + 4 > run.byteLength) return undefined;
    at += 4;
    return at - 4;
  };
  const offset = field(0x1);
  field(0x4);
  field(0x100);
  const size = field(0x200);
  field(0x400);
  return { offset, size, composition: field(0x800) };
}
