import { Mutex } from '../bus/base/mutex.ts';
import type { PictureOrder } from '../pipelines/picture/picture-protocol.ts';
import { runPicture } from '../pipelines/picture/run-picture.ts';

/** Each takes about half a second of the processor. */
const maxWaiting = 8;

/** Pictures of recordings, one at a time: recording goes first. */
export class Pictures {
  readonly #storageDir: string;
  readonly #closing = new AbortController();
  readonly #turns = new Mutex();
  #waiting = 0;

  constructor(storageDir: string) {
    this.#storageDir = storageDir;
  }

  /** @returns `busy` if too many wait, or the machine is too busy; undefined if the frame cannot be decoded. */
  async make(order: PictureOrder): Promise<Uint8Array | 'busy' | undefined> {
    if (this.#waiting >= maxWaiting || this.#closing.signal.aborted) return 'busy';
    this.#waiting += 1;
    try {
      const options = { storageDir: this.#storageDir, signal: this.#closing.signal };
      const picture = await this.#turns.runExclusive(() => runPicture(order, options));
      return picture === 'late' ? 'busy' : picture;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Ends the process that runs. */
  close(): void {
    this.#closing.abort();
  }
}
