import { bytesPerPixel, type Frame } from '../../bus/frames.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { MediaClock } from '../media/media-clock.ts';

/** GStreamer Data Protocol 1.0: 62 bytes before each payload. */
const headerSize = 62;
const bufferType = 1;
const capsType = 2;
/** Nanoseconds by which a camera's times may be off. */
const tremble = 50_000_000;

/** Makes frames of what one connection's `gdppay ! appsink` delivers. */
export class FrameReader {
  readonly #format: FrameFormat;
  readonly #clock = new MediaClock();
  /** Nanoseconds between two pictures; 0 for every one. */
  readonly #period: number;
  #width = 0;
  #height = 0;
  #sequence = 0;
  #due = 0;

  /** @param rate pictures per second, 0 for every one. */
  constructor(rate: number, format: FrameFormat = 'gray') {
    this.#format = format;
    this.#period = rate > 0 ? 1e9 / rate : 0;
  }

  /**
   * @param now Unix time in microseconds.
   * @returns undefined for what is no picture, and for pictures that come before their time.
   */
  read(packet: Buffer, now: number): Frame | undefined {
    if (packet.length < headerSize) return undefined;
    const type = packet.readUInt16BE(4);
    const payload = packet.subarray(headerSize, headerSize + packet.readUInt32BE(6));
    if (type === capsType) this.#readCaps(payload.toString('latin1'));
    const size = this.#width * this.#height * bytesPerPixel[this.#format];
    if (type !== bufferType || payload.length !== size || payload.length === 0) return undefined;
    const media = Number(packet.readBigUInt64BE(10));
    this.#clock.observe(media / 1000, now);
    if (!this.#isDue(media)) return undefined;
    return {
      format: this.#format,
      width: this.#width,
      height: this.#height,
      timeUs: this.#clock.at(media / 1000),
      sequence: this.#sequence++,
      data: payload,
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
