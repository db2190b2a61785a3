import { headBytes, type NalCodec, type SliceUnit, type VideoConfig } from '../codecs/nal-unit.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/** The NAL units of one picture, or of the rest of one. */
export interface CodedPicture {
  /** Of its first slice, in ticks of the track's clock. */
  readonly timestamp: number;
  /** `performance.now()` at the arrival of its first slice. */
  readonly arrivedMs: number;
  readonly keyFrame: boolean;
  readonly bidirectional: boolean;
  /** Each after its length in four bytes, as in a file. */
  readonly data: Buffer;
  /** It belongs to the picture before, whose end was announced too early. */
  readonly continues: boolean;
  /** By the parameter sets that had come when it began; undefined where some were missing. */
  readonly config: VideoConfig | undefined;
}

interface Open {
  nals: number;
  slices: number;
  /** Slices that are the first of a frame or field. */
  firsts: number;
  timestamp: number;
  arrivedMs: number;
  idr: boolean;
  allIntra: boolean;
  bidirectional: boolean;
  /** It may be begun at if it is intra. */
  recovery: boolean;
  continues: boolean;
  config: VideoConfig | undefined;
  /** The last packet so far had the marker bit. */
  marked: boolean;
}

/** After so many pictures in a row the marker bit is believed: a picture is complete at once, not with the next. */
const provenMarkers = 8;
const maxPictureBytes = 32 * 1024 * 1024;
/** A picture of 1920×1080 has 8160 macroblocks, and so no more slices. Tiny units cost far more memory than their bytes. */
const maxNalUnits = 8192;
const maxAhead = 64;

/**
 * Puts pictures together from NAL units. The slices say where one begins: cameras are known to set marker bits
 * wrongly or never, to send parameter sets with the time of the picture before, and before each slice.
 */
export class PictureAssembler {
  readonly #codec: NalCodec;
  readonly #onPicture: (picture: CodedPicture) => void;
  #open = begin();
  readonly #data = new GrowingBuffer();
  /** NAL units that arrived before a slice and belong to its picture. */
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #recovery = false;
  #markers = 0;
  /** The time of the picture that was completed by a marker bit, until something of the next one comes. */
  #marked: number | undefined;

  constructor(codec: NalCodec, onPicture: (picture: CodedPicture) => void) {
    this.#codec = codec;
    this.#onPicture = onPicture;
  }

  push(nal: Buffer, timestamp: number, arrivedMs: number): void {
    const unit = this.#codec.read(nal.subarray(0, headBytes));
    switch (unit.kind) {
      case 'slice':
        this.#pushSlice(nal, unit, timestamp, arrivedMs);
        break;
      case 'parameters':
        // The file's header has them, unless they have just changed.
        if (this.#codec.store(nal)) this.#pushAhead(nal);
        this.#recovery = true;
        break;
      case 'prefix':
        this.#pushAhead(nal);
        this.#recovery ||= unit.recovery;
        break;
      case 'suffix':
        if (this.#open.slices > 0) this.#append(nal);
        break;
      case 'ignored':
        break;
    }
  }

  /** All NAL units of a packet have been pushed. */
  endPacket(marker: boolean): void {
    if (!marker || this.#open.slices === 0) return;
    this.#open.marked = true;
    if (this.#markers < provenMarkers) return;
    this.#marked = this.#open.timestamp;
    this.#complete();
  }

  /** Nothing more comes. */
  flush(): void {
    if (this.#open.slices > 0) this.#complete();
  }

  #pushSlice(nal: Buffer, slice: SliceUnit, timestamp: number, arrivedMs: number): void {
    if (this.#open.slices > 0 && this.#isNext(slice, timestamp)) {
      this.#markers = this.#open.marked ? this.#markers + 1 : 0;
      this.#complete();
    }
    const open = this.#open;
    if (open.slices === 0) {
      // A picture was completed by a marker bit that came too early.
      const continues = this.#marked === timestamp && !slice.first;
      if (continues) this.#markers = 0;
      Object.assign(open, { timestamp, arrivedMs, continues, config: this.#codec.config });
    }
    this.#marked = undefined;
    open.slices += 1;
    if (slice.first) open.firsts += 1;
    open.idr ||= slice.keyFrame;
    open.allIntra &&= slice.intra;
    open.bidirectional ||= slice.bidirectional;
    open.recovery ||= this.#recovery;
    for (const ahead of this.#ahead) this.#append(ahead);
    this.#ahead = [];
    this.#aheadBytes = 0;
    this.#recovery = false;
    this.#append(nal);
  }

  /** Whether a slice is of another picture than the slices before it. */
  #isNext(slice: SliceUnit, timestamp: number): boolean {
    if (timestamp !== this.#open.timestamp) return true;
    return slice.first && !(slice.field && this.#open.firsts < 2);
  }

  #pushAhead(nal: Buffer): void {
    if (this.#ahead.length >= maxAhead || this.#aheadBytes + nal.length > maxPictureBytes) return;
    this.#ahead.push(Buffer.from(nal));
    this.#aheadBytes += nal.length;
  }

  #append(nal: Buffer): void {
    const open = this.#open;
    if (open.marked) {
      open.marked = false;
      this.#markers = 0;
    }
    if (this.#data.length + nal.length > maxPictureBytes || open.nals >= maxNalUnits) return;
    open.nals += 1;
    this.#data.appendNumber(nal.length);
    this.#data.append(nal);
  }

  #complete(): void {
    const { timestamp, arrivedMs, idr, allIntra, recovery, bidirectional, continues, config } = this.#open;
    const data = Buffer.from(this.#data.view);
    this.#open = begin();
    this.#data.clear();
    const keyFrame = !continues && (idr || (allIntra && recovery));
    this.#onPicture({ timestamp, arrivedMs, keyFrame, bidirectional, data, continues, config });
  }
}

function begin(): Open {
  return {
    nals: 0,
    slices: 0,
    firsts: 0,
    timestamp: 0,
    arrivedMs: 0,
    idr: false,
    allIntra: true,
    bidirectional: false,
    recovery: false,
    continues: false,
    config: undefined,
    marked: false,
  };
}
