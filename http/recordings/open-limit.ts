import { HttpError } from '../request/http-error.ts';

/** Bounds how many of something are open at once. */
export class OpenLimit {
  readonly #max: number;
  #open = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns ends it; calling it again has no effect. @throws {HttpError} `unavailable` if too many are open. */
  enter(): () => void {
    if (this.#open >= this.#max)
      throw new HttpError('unavailable', 'Too many downloads are running.', {
        headers: { 'Retry-After': '5' },
      });
    this.#open += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.#open -= 1;
      isOpen = false;
    };
  }
}
