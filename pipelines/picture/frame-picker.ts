import { encodeJpeg } from '../../bus/base/jpeg.ts';
import { readGdp } from '../gstreamer/gdp.ts';

const bytesPerPixel = 3;

interface RgbPicture {
  readonly timeNs: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Picks the frame that is shown at a time out of decoded ones. A decoder delivers a key frame of a stream with B-frames
 * late, so the first one to arrive need not be it: the times decide.
 */
export class FramePicker {
  readonly #shownNs: number;
  #width = 0;
  #height = 0;
  #best: RgbPicture | undefined;

  constructor(shownNs: number) {
    this.#shownNs = shownNs;
  }

  /** @param packet of `gdppay`, in the order of showing @returns whether no better one can follow. */
  take(packet: Buffer): boolean {
    const { caps, data, timeNs = 0 } = readGdp(packet) ?? {};
    if (caps !== undefined) {
      this.#width = Number(/\bwidth=\(int\)(\d+)/.exec(caps)?.[1] ?? 0);
      this.#height = Number(/\bheight=\(int\)(\d+)/.exec(caps)?.[1] ?? 0);
    }
    const [width, height] = [this.#width, this.#height];
    if (!data || data.length !== width * height * bytesPerPixel || data.length === 0) return false;
    const isLater = timeNs > this.#shownNs;
    if (!this.#best || !isLater) this.#best = { timeNs, width, height, data: Buffer.from(data) };
    return isLater || timeNs === this.#shownNs;
  }

  /** @returns null if none was decoded. */
  jpeg(): Uint8Array | null {
    return this.#best ? encodeJpeg(this.#best) : null;
  }
}
