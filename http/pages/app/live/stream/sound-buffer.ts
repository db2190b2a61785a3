import type { StartedSound } from './live-message.ts';

/** Sound that is not there after this time, in milliseconds, is not waited for. */
const patienceMs = 1000;
/** Sound that is so far behind the picture, in seconds, has stopped. */
const maxBehindS = 2;

/** The sound of a live stream, in a source buffer of its own: a gap in it costs no picture. */
export class SoundBuffer {
  readonly #source: MediaSource;
  readonly #buffer: SourceBuffer;
  readonly #sinceMs = performance.now();
  #queue: ArrayBuffer[] = [];

  /** @throws if the browser takes no second buffer. */
  constructor(source: MediaSource, { mime, init }: StartedSound) {
    this.#source = source;
    this.#buffer = source.addSourceBuffer(mime);
    this.#buffer.addEventListener('updateend', () => this.#append());
    this.add(Uint8Array.from(atob(init), (letter) => letter.charCodeAt(0)).buffer);
  }

  add(bytes: ArrayBuffer): void {
    this.#queue.push(bytes);
    this.#append();
  }

  /** Whether the picture, which ends there, would wait for it too long. */
  isLate(pictureEndS: number, nowMs: number): boolean {
    const { buffered } = this.#buffer;
    if (buffered.length === 0) return nowMs - this.#sinceMs > patienceMs;
    return pictureEndS - buffered.end(buffered.length - 1) > maxBehindS;
  }

  forget(beforeS: number): void {
    if (!this.#buffer.updating) this.#buffer.remove(0, beforeS);
  }

  /** Playing goes on without it. */
  end(): void {
    this.#queue = [];
    if (this.#source.readyState === 'open') this.#source.removeSourceBuffer(this.#buffer);
  }

  #append(): void {
    if (this.#buffer.updating || this.#source.readyState !== 'open') return;
    const next = this.#queue.shift();
    if (next) this.#buffer.appendBuffer(next);
  }
}
