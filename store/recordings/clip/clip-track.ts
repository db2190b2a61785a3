import { RunLengths } from './run-lengths.ts';

/** Samples that are one after another in the clip. */
interface Chunk {
  /** In bytes from the beginning of the clip's media. */
  readonly offset: number;
  readonly samples: number;
}

const wordBytes = 4;

/**
 * The samples of one track of a clip, as its tables have them: an hour has a hundred thousand samples, and arrays of all their
 * times take most of the time in which a clip is made. Times in the track's ticks from the clip's first sample.
 */
export class ClipTrack {
  readonly ticksPerSecond: number;
  /** From each sample's decode time to the next one's, but for the last. */
  readonly steps = new RunLengths();
  /** Composition offsets: when each is shown minus when it is decoded. */
  readonly offsets = new RunLengths();
  /** The numbers, from 1, of the samples at which decoding can begin. */
  readonly keyFrames: number[] = [];
  readonly chunks: Chunk[] = [];
  /** Decode times of the first and the last sample. */
  first = 0;
  last = Number.NEGATIVE_INFINITY;
  /** When the last sample ends. */
  end = 0;
  samples = 0;
  #sizes = Buffer.allocUnsafe(1024 * wordBytes);

  constructor(ticksPerSecond: number) {
    this.ticksPerSecond = ticksPerSecond;
  }

  /** Of each sample, as a table of 32-bit numbers. */
  get sizes(): Buffer {
    return this.#sizes.subarray(0, this.samples * wordBytes);
  }

  beginChunk(offset: number, samples: number): void {
    this.chunks.push({ offset, samples });
  }

  /** @param decodeTime after the one before */
  add(decodeTime: number, duration: number, size: number, offset: number, keyFrame: boolean): void {
    if (this.samples === 0) this.first = decodeTime;
    else this.steps.add(decodeTime - this.last);
    const at = this.samples * wordBytes;
    if (at === this.#sizes.length) this.#sizes = Buffer.concat([this.#sizes], 2 * at);
    this.#sizes.writeUInt32BE(size, at);
    this.offsets.add(offset);
    this.samples += 1;
    if (keyFrame) this.keyFrames.push(this.samples);
    this.last = decodeTime;
    this.end = decodeTime + duration;
  }
}
