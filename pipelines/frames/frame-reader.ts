import { bytesPerPixel, type Frame } from '../../bus/frames.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { readGdp } from '../gstreamer/gdp.ts';
import type { MediaClock } from '../media/media-clock.ts';

/** Nanoseconds by which a camera's times may be off. */
const tremble = 50_000_000;

/** Makes frames of what one connection's `gdppay ! appsink` delivers. */
export class FrameReader {
  readonly #format: FrameFormat;
  readonly #clock: MediaClock;
  /** Nanoseconds between two pictures; 0 for every one. */
  readonly #period: number;
  #width = 0;
  #height = 0;
  #sequence = 0;
  #due = 0;
  #from = 0;

  /**
   * @param rate pictures per second, 0 for every one
   * @param clock has seen the pictures arrive that these are decoded of
   */
  constructor(rate: number, format: FrameFormat, clock: MediaClock) {
    this.#format = format;
    this.#clock = clock;
    this.#period = rate > 0 ? 1e9 / rate : 0;
  }

  /** Leaves out frames taken before this moment. @param media nanoseconds of media time */
  skipUntil(media: number): void {
    this.#from = media;
  }

  /** @returns undefined for what is no picture, and for pictures that come before their time. */
  read(data: Buffer): Frame | undefined {
    const packet = readGdp(data);
    if (packet?.caps !== undefined) this.#readCaps(packet.caps);
    const size = this.#width * this.#height * bytesPerPixel[this.#format];
    if (packet?.data?.length !== size || size === 0) return undefined;
    const media = packet.timeNs;
    if (media < this.#from || !this.#isDue(media)) return undefined;
    return {
      format: this.#format,
      width: this.#width,
      height: this.#height,
      timeUs: this.#clock.at(media / 1000),
      sequence: this.#sequence++,
      data: packet.data,
    };
  }

  #readCaps(caps: string): void {
    this.#width = Number(/\bwidth=\(int\)(\d+)/.exec(caps)?.[1] ?? 0);
    this.#height = Number(/\bheight=\(int\)(\d+)/.exec(caps)?.[1] ?? 0);
  }

  /** GStreamer's limit is a whole number of pictures; this one keeps the average of any other. */
  #isDue(media: number): boolean {
    if (media < this.#due - Math.min(this.#period / 4, tremble)) return false;
    const next = this.#due + this.#period;
    this.#due = next > media ? next : media + this.#period;
    return true;
  }
}
