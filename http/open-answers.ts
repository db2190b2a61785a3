import type { Readable } from 'node:stream';
import type { Caller } from './request/caller.ts';

/** Bodies that are sent piece by piece, such as downloads, each with the caller that it is sent to. */
export class OpenAnswers {
  readonly #callers = new Map<Readable, Caller>();

  add(body: Readable, caller: Caller): void {
    this.#callers.set(body, caller);
    body.once('close', () => this.#callers.delete(body));
    // Broken off here, it may fail before the answer listens to it.
    body.on('error', () => {});
    // Its account may have changed while the answer was made.
    this.check();
  }

  /** Breaks off those whose caller is no longer admitted, or may see less than before. */
  check(): void {
    for (const [body, caller] of this.#callers)
      if (caller.standing() !== 'admitted') body.destroy(new Error('the caller is no longer admitted'));
  }
}
