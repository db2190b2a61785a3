/** A rectangle in pixels from the frame's top left corner. It may extend beyond the frame. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGB, 3 bytes per pixel. */
  readonly data: Uint8Array;
}

/** A model's range of input values: `factor` × (0 to 255) + `offset`. */
export interface PixelRange {
  readonly factor: number;
  readonly offset: number;
}

/**
 * Scales a region of an RGB frame to a model's input, 3 values per pixel.
 *
 * Each output pixel is the mean of four source pixels, the centres of the quarters of the area that it covers. For
 * detection this is as good as the mean of all of them (tried on real video), and takes 1 ms instead of 6 ms. Beyond
 * the frame its edge is repeated.
 */
export class Scaler {
  /** Offsets of the two source rows, and of the two source columns, of each output pixel. */
  readonly #rows: Int32Array;
  readonly #columns: Int32Array;

  constructor(
    source: { readonly width: number; readonly height: number },
    region: Region,
    target: readonly [number, number],
  ) {
    this.#columns = pairs(region.x, region.width, target[0], source.width, 3);
    this.#rows = pairs(region.y, region.height, target[1], source.height, 3 * source.width);
  }

  scale(source: Uint8Array, output: Float32Array | Uint8Array | Int8Array, range: PixelRange): void {
    const factor = range.factor / 4;
    // Integer arrays truncate on store; 0.5 makes that rounding.
    const offset = range.offset + (output instanceof Float32Array ? 0 : 0.5);
    let next = 0;
    for (let row = 0; row < this.#rows.length; row += 2) {
      const above = this.#rows[row] as number;
      const below = this.#rows[row + 1] as number;
      for (let column = 0; column < this.#columns.length; column += 2) {
        const left = this.#columns[column] as number;
        const right = this.#columns[column + 1] as number;
        for (let colour = 0; colour < 3; colour += 1) {
          const sum =
            (source[above + left + colour] as number) +
            (source[above + right + colour] as number) +
            (source[below + left + colour] as number) +
            (source[below + right + colour] as number);
          output[next + colour] = sum * factor + offset;
        }
        next += 3;
      }
    }
  }
}

/** Offsets of the two source pixels for each of `target` pixels along one axis; source pixels are `stride` apart. */
function pairs(start: number, length: number, target: number, source: number, stride: number): Int32Array {
  const step = length / target;
  const quarter = Math.max(1, step) / 4;
  const place = (position: number) => Math.min(source - 1, Math.max(0, Math.floor(position))) * stride;
  const offsets = new Int32Array(2 * target);
  for (let n = 0; n < target; n += 1) {
    const centre = start + (n + 0.5) * step;
    offsets[2 * n] = place(centre - quarter);
    offsets[2 * n + 1] = place(centre + quarter);
  }
  return offsets;
}
