import { FrameRateLimit } from '../../bus/frame-rate-limit.ts';
import { bytesPerPixel, type Frame } from '../../bus/frames.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { readGdp } from '../gstreamer/gdp.ts';
import type { MediaClock } from '../media/media-clock.ts';

/** Makes frames of what one connection's `gdppay ! appsink` delivers. */
export class FrameReader {
  readonly #format: FrameFormat;
  readonly #clock: Pick<MediaClock, 'at'>;
  /** GStreamer's own limit is a whole number of frames per second; this one keeps any rate. */
  readonly #limit: FrameRateLimit;
  #width = 0;
  #height = 0;
  #sequence = 0;
  #from = 0;

  /**
   * @param rate pictures per second, 0 for every one
   * @param clock has seen the pictures arrive that these are decoded of
   */
  constructor(rate: number, format: FrameFormat, clock: Pick<MediaClock, 'at'>) {
    this.#format = format;
    this.#clock = clock;
    this.#limit = new FrameRateLimit(rate);
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
    if (media < this.#from || !this.#limit.isDue(media / 1000)) return undefined;
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
}
