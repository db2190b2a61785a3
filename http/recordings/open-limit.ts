import { HttpError } from '../request/http-error.ts';

/** Bounds how many of something are open at once, half of them for one owner. */
export class OpenLimit {
  readonly #max: number;
  /** How many each owner has. */
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * @param owner the id of an account; empty for everybody, and for other machines, which ask for many
   * @returns ends it; calling it again has no effect.
   * @throws {HttpError} `unavailable` if too many are open.
   */
  enter(owner: string): () => void {
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    const own = this.#open.get(owner) ?? 0;
    if (all >= this.#max || (owner !== '' && own >= this.#max / 2))
      throw new HttpError('unavailable', 'Too many downloads are running.', {
        headers: { 'Retry-After': '5' },
      });
    this.#open.set(owner, own + 1);
    let isOpen = true;
    return () => {
      if (isOpen) this.#leave(owner);
      isOpen = false;
    };
  }

  #leave(owner: string): void {
    const left = (this.#open.get(owner) ?? 1) - 1;
    if (left > 0) this.#open.set(owner, left);
    else this.#open.delete(owner);
  }
}
