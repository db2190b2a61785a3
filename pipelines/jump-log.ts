import type { TimeJump } from './media/time-line.ts';

const intervalMs = 10_000;

/** Logs jumps of a camera's clock: the first one with its size, those of the ten seconds after it by their number. */
export class JumpLog {
  readonly #write: (text: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #more = 0;
  #largest = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add({ seconds, what }: TimeJump): void {
    if (this.#timer) {
      this.#more += 1;
      this.#largest = Math.max(this.#largest, Math.abs(seconds));
      return;
    }
    const by = `${Math.abs(seconds).toFixed(1)} s ${seconds > 0 ? 'ahead' : 'back'}`;
    const text = what === 'clock' ? `the camera's clock jumped ${by}` : `one picture was stamped ${by}`;
    this.#write(`${text}; recorded by the time of arrival`);
    this.#wait();
  }

  /** Writes what was counted. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writeCount();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#more === 0) return;
      this.#writeCount();
      // The count is an entry, too.
      this.#wait();
    }, intervalMs).unref();
  }

  #writeCount(): void {
    if (this.#more === 0) return;
    const times = this.#more === 1 ? 'once more' : `${this.#more} more times`;
    const size = `${this.#largest.toFixed(1)} s`;
    this.#write(`the camera's clock jumped ${times}, by up to ${size}; recorded by the time of arrival`);
    this.#more = 0;
    this.#largest = 0;
  }
}
