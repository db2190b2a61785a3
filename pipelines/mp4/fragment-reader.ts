import { BoxReader, childOf, FragmentError, findBox } from './mp4-boxes.ts';

export { FragmentError } from './mp4-boxes.ts';

/** What every file begins with: ftyp and moov. */
export interface InitSegment {
  readonly data: Buffer;
  /** Units of time per second. */
  readonly timescale: number;
}

/** Some pictures: moof and mdat. */
export interface Fragment {
  /** Decoding can begin here. */
  readonly keyFrame: boolean;
  /** Decode time of its first picture, in the timescale's units. */
  readonly start: number;
  readonly duration: number;
  /** How many pictures. */
  readonly samples: number;
  readonly moof: Buffer;
  /** Where in `moof` the start is written, and in how many bytes. */
  readonly startField: { readonly offset: number; readonly bytes: 4 | 8 };
  /** The mdat box, in the pieces in which it came. */
  readonly mdat: readonly Buffer[];
  /** Bytes in all. */
  readonly size: number;
}

/** Bounds on what one box may ask for; real ones are a thousandth and a tenth of that. */
const maxHeaderBoxBytes = 4 * 1024 * 1024;
const maxMediaBoxBytes = 64 * 1024 * 1024;

const kept = new Set(['ftyp', 'moov', 'moof', 'mdat']);

/**
 * Cuts a stream of fragmented MP4, as GStreamer's mp4mux writes it, at its boxes. It holds no more than one
 * fragment, and moves the media itself by reference.
 */
export class FragmentReader {
  readonly #onInit: (init: InitSegment) => void;
  readonly #onFragment: (fragment: Fragment) => void;
  /** The beginning of a box's length and type. */
  #header: Buffer = Buffer.alloc(0);
  #type = '';
  #parts: Buffer[] = [];
  /** Bytes of the current box that have not come yet. */
  #missing = 0;
  #ftyp: Buffer | undefined;
  #moof: Buffer | undefined;
  #defaults: Defaults | undefined;

  constructor(listeners: { onInit(init: InitSegment): void; onFragment(fragment: Fragment): void }) {
    this.#onInit = listeners.onInit;
    this.#onFragment = listeners.onFragment;
  }

  /** Takes the next bytes, wherever they were cut. @throws {FragmentError} after which the reader is of no use. */
  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      rest = this.#missing > 0 ? this.#takeContent(rest) : this.#takeHeader(rest);
    }
  }

  #takeHeader(chunk: Buffer): Buffer {
    const before = this.#header.length;
    this.#header =
      before === 0 ? chunk.subarray(0, 16) : Buffer.concat([this.#header, chunk.subarray(0, 16 - before)]);
    if (this.#header.length < 8) return chunk.subarray(chunk.length);
    let length = this.#header.readUInt32BE(0);
    let used = 8;
    if (length === 1) {
      if (this.#header.length < 16) return chunk.subarray(chunk.length);
      length = Number(this.#header.readBigUInt64BE(8));
      used = 16;
    }
    const type = this.#header.toString('latin1', 4, 8);
    const limit = type === 'mdat' ? maxMediaBoxBytes : maxHeaderBoxBytes;
    if (length < used || length > limit)
      throw new FragmentError(`a box ${JSON.stringify(type)} of ${length} bytes`);

    const header = this.#header.subarray(0, used);
    this.#header = Buffer.alloc(0);
    this.#type = type;
    this.#parts = kept.has(type) ? [header] : [];
    this.#missing = length - used;
    if (this.#missing === 0) this.#finishBox();
    return chunk.subarray(used - before);
  }

  #takeContent(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#missing);
    if (kept.has(this.#type)) this.#parts.push(part);
    this.#missing -= part.length;
    if (this.#missing === 0) this.#finishBox();
    return chunk.subarray(part.length);
  }

  #finishBox(): void {
    const parts = this.#parts;
    this.#parts = [];
    switch (this.#type) {
      case 'ftyp':
        this.#ftyp = Buffer.concat(parts);
        break;
      case 'moov':
        this.#finishInit(Buffer.concat(parts));
        break;
      case 'moof':
        this.#moof = Buffer.concat(parts);
        break;
      case 'mdat':
        this.#finishFragment(parts);
        break;
      case '':
        break;
    }
  }

  #finishInit(moov: Buffer): void {
    if (!this.#ftyp) throw new FragmentError('moov without ftyp');
    if (this.#defaults) throw new FragmentError('a second moov');
    const media = new BoxReader(moov, findBox(moov, ['moov', 'trak', 'mdia', 'mdhd']));
    const timescale = media.skip(media.version === 1 ? 16 : 8).u32();
    if (timescale === 0) throw new FragmentError('a timescale of 0');
    const extends_ = new BoxReader(moov, findBox(moov, ['moov', 'mvex', 'trex'])).skip(8);
    this.#defaults = { duration: extends_.u32(), flags: extends_.skip(4).u32() };
    this.#onInit({ data: Buffer.concat([this.#ftyp, moov]), timescale });
  }

  #finishFragment(mdat: Buffer[]): void {
    const moof = this.#moof;
    if (!moof || !this.#defaults) throw new FragmentError('mdat without moof or moov');
    this.#moof = undefined;
    const size = mdat.reduce((sum, { length }) => sum + length, moof.length);
    this.#onFragment({ ...readMoof(moof, this.#defaults), moof, mdat, size });
  }
}

interface Defaults {
  readonly duration: number;
  readonly flags: number;
}

/** sample_is_non_sync_sample (section 8.8.3.1). */
const notSync = 0x10000;

/** Of a fragment with one track, which is what there is. */
function readMoof(moof: Buffer, defaults: Defaults): Omit<Fragment, 'moof' | 'mdat' | 'size'> {
  const traf = findBox(moof, ['moof', 'traf']);
  const headerBox = childOf(moof, traf, 'tfhd');
  const timeBox = childOf(moof, traf, 'tfdt');
  const runBox = childOf(moof, traf, 'trun');
  if (!headerBox || !timeBox || !runBox) throw new FragmentError('a traf without tfhd, tfdt or trun');

  // Section 8.8.7: optional fields, in this order.
  const header = new BoxReader(moof, headerBox).skip(4);
  if (header.flags & 0x1) throw new FragmentError('offsets that count from the beginning of the file');
  if (header.flags & 0x2) header.skip(4);
  const duration = header.flags & 0x8 ? header.u32() : defaults.duration;
  if (header.flags & 0x10) header.skip(4);
  const flags = header.flags & 0x20 ? header.u32() : defaults.flags;

  // Section 8.8.12.
  const time = new BoxReader(moof, timeBox);
  const bytes = time.version === 1 ? 8 : 4;
  const startField = { offset: time.offset, bytes } as const;
  const start = bytes === 8 ? time.u64() : time.u32();

  // Section 8.8.8.
  const run = new BoxReader(moof, runBox);
  const samples = run.u32();
  if (run.flags & 0x1) run.skip(4);
  let first = run.flags & 0x4 ? run.u32() : undefined;
  let total = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    total += run.flags & 0x100 ? run.u32() : duration;
    if (run.flags & 0x200) run.skip(4);
    const own = run.flags & 0x400 ? run.u32() : flags;
    if (sample === 0) first ??= own;
    if (run.flags & 0x800) run.skip(4);
    // A run whose samples take no bytes could count to four thousand million.
    if ((run.flags & 0xf00) === 0) {
      total = samples * duration;
      break;
    }
  }
  if (first === undefined) throw new FragmentError('a fragment without pictures');
  return { keyFrame: (first & notSync) === 0, start, duration: total, samples, startField };
}
