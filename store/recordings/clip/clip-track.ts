/** Samples that are one after another in the clip. */
interface Chunk {
  /** In bytes from the beginning of the clip's media. */
  readonly offset: number;
  readonly samples: number;
}

/** The samples of one track of a clip, for its tables. Times in the track's ticks from the clip's first sample. */
export class ClipTrack {
  readonly ticksPerSecond: number;
  readonly decodeTimes: number[] = [];
  readonly sizes: number[] = [];
  /** Composition offsets: when each is shown minus when it is decoded. */
  readonly offsets: number[] = [];
  /** The numbers, from 1, of the samples at which decoding can begin. */
  readonly keyFrames: number[] = [];
  readonly chunks: Chunk[] = [];
  /** When the last sample ends. */
  end = 0;

  constructor(ticksPerSecond: number) {
    this.ticksPerSecond = ticksPerSecond;
  }

  beginChunk(offset: number, samples: number): void {
    this.chunks.push({ offset, samples });
  }

  /** @param decodeTime after the one before */
  add(decodeTime: number, duration: number, size: number, offset: number, keyFrame: boolean): void {
    this.decodeTimes.push(decodeTime);
    this.sizes.push(size);
    this.offsets.push(offset);
    if (keyFrame) this.keyFrames.push(this.sizes.length);
    this.end = decodeTime + duration;
  }
}
