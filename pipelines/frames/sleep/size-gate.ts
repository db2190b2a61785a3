/** Whether a camera's quiet P-frames are so steady that motion shows in their sizes, and whether it does. */

export interface PictureSize {
  readonly keyFrame: boolean;
  readonly bytes: number;
}

/** What a macroblock with motion adds to a P-frame at least. */
const bytesPerMacroblock = 18;
/** So many times the scatter must be less than what the smallest motion adds. */
const margin = 3;
/** Once asleep, a camera may become somewhat noisier before it is woken up. */
const noiseMargin = 1.5;
/** Groups of which the sizes are compared with. */
const knownGroups = 10;
const leastGroups = 3;
/** Of a camera that sends no more key frames, positions would never end; groups as long as this never sleep. */
const maxPosition = 600;
const meanOf = 3;
const knownMeans = 300;
const leastMeans = 60;
/** The scatter is computed after so many pictures: it changes slowly. */
const scatterEvery = 15;
/** From the median of distances to a standard deviation. */
const madToSigma = 1.4826;

export class SizeGate {
  readonly #least: number;
  /** Sizes of quiet pictures by their position after the key frame. */
  readonly #sizes = new Map<number, number[]>();
  /** What the last quiet pictures had more than usual, and means of three of them. */
  #excesses: number[] = [];
  #means: number[] = [];
  #position: number | undefined;
  #count = 0;
  #scatter: number | undefined;

  /** @param leastShare the part of the picture that must move to count, 0 to 1; 0: nothing is small enough */
  constructor({ width, height }: { readonly width: number; readonly height: number }, leastShare: number) {
    this.#least = Math.ceil(width / 16) * Math.ceil(height / 16) * leastShare * bytesPerMacroblock;
  }

  /**
   * @param use `learn`: nothing has moved of late, so this is how quiet pictures are; `compare`: it is compared with those;
   *   `skip`: neither
   */
  push({ keyFrame, bytes }: PictureSize, use: 'learn' | 'compare' | 'skip'): void {
    if (keyFrame) this.#position = 0;
    else if (this.#position !== undefined) this.#position += 1;
    if (keyFrame || use === 'skip') this.#excesses = [];
    if (keyFrame || this.#position === undefined || use === 'skip') return;
    if (this.#position > maxPosition) {
      this.interrupt();
      return;
    }
    const known = this.#sizes.get(this.#position) ?? [];
    if (known.length >= leastGroups) this.#compare(bytes - median(known), use === 'learn');
    if (use === 'learn') this.#sizes.set(this.#position, [...known, bytes].slice(-knownGroups));
  }

  /** Pictures were lost, or another connection begins: positions are unknown until the next key frame. */
  interrupt(): void {
    this.#position = undefined;
    this.#excesses = [];
  }

  /** Something moves. */
  get isRaised(): boolean {
    return this.#excesses.length === meanOf && mean(this.#excesses) > this.#least;
  }

  /** Bytes of quiet pictures by their place after the key frame, up to the first of which too little is known. */
  get usual(): number[] {
    const usual: number[] = [];
    for (let position = 1; ; position += 1) {
      const known = this.#sizes.get(position) ?? [];
      if (known.length < leastGroups) return usual;
      usual.push(median(known));
    }
  }

  /** Bytes that the smallest motion adds. */
  get least(): number {
    return this.#least;
  }

  /** Whether motion would show; undefined while too little is known. */
  get isOpen(): boolean | undefined {
    return this.#scatter === undefined ? undefined : margin * this.#scatter <= this.#least;
  }

  /** Motion might not show any more. */
  get isNoisy(): boolean {
    return margin * (this.#scatter ?? 0) > noiseMargin * this.#least;
  }

  #compare(excess: number, isKept: boolean): void {
    this.#excesses = [...this.#excesses, excess].slice(-meanOf);
    if (this.#excesses.length < meanOf || !isKept) return;
    this.#means.push(mean(this.#excesses));
    if (this.#means.length > knownMeans) this.#means.shift();
    this.#count += 1;
    if (this.#means.length >= leastMeans && this.#count % scatterEvery === 0) this.#measure();
  }

  /** The greater of two measures: how far most are from the usual, and how far the farthest are. */
  #measure(): void {
    const usual = median(this.#means);
    const typical = madToSigma * median(this.#means.map((value) => Math.abs(value - usual)));
    const sorted = this.#means.map(Math.abs).sort((a, b) => a - b);
    const far = sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0;
    this.#scatter = Math.max(typical, far / 2);
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
