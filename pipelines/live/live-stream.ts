import { LastGroup } from '../media/last-group.ts';
import type { VideoUnit } from '../media/unit.ts';
import { LiveSession, type LiveSessionOptions } from './live-session.ts';

/** One connection's pictures for viewers: nothing is made of them while nobody watches. */
export class LiveStream {
  readonly #options: Omit<LiveSessionOptions, 'units'>;
  readonly #group = new LastGroup();
  #isWatched = false;
  #session: LiveSession | undefined;

  constructor(options: Omit<LiveSessionOptions, 'units'>) {
    this.#options = options;
  }

  push(unit: VideoUnit): void {
    // The picture that it completes was sent already; the camera's next pictures are waited for.
    if (unit.continues) return;
    this.#group.push(unit);
    if (!this.#isWatched) return;
    if (this.#session?.fits(unit)) this.#session.push(unit);
    else this.#begin();
  }

  /** @param begin publishes the last group of pictures first, whole */
  watch(begin: boolean): void {
    this.#isWatched = true;
    if (!this.#session) this.#begin();
    else if (begin) this.#session.replay();
  }

  unwatch(): void {
    this.#isWatched = false;
    this.#session = undefined;
  }

  /** The connection has ended. */
  close(): void {
    this.#session?.end();
    this.#group.clear();
    this.unwatch();
  }

  #begin(): void {
    const { units } = this.#group;
    this.#session = units.length > 0 ? new LiveSession({ ...this.#options, units }) : undefined;
  }
}
