import { backoffDelay } from '../../base/backoff.ts';

/** By then, the broker's rules or its load may be others. */
const pause = { minMs: 30_000, maxMs: 60_000 };

/** Another try of what the broker has refused, after 30 to 60 s. */
export class LaterTry {
  readonly #act: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(act: () => void) {
    this.#act = act;
  }

  /** However often it is asked for until then, there is one. */
  ask(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#act();
      },
      backoffDelay(pause, 1, Math.random()),
    );
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
