import { setTimeout as sleep } from 'node:timers/promises';
import { type StopStep, stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import type { Log } from '../../bus/log.ts';

/** How to close what was opened: in reverse order, each within its own time. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** To be called as soon as something is open. */
  add(close: () => unknown): void {
    this.#closers.push(async () => void (await close()));
  }

  /** The same for what may hang: it is given up after its deadline, so that the others are closed as well. */
  addWithin(step: StopStep, close: () => Promise<unknown>): void {
    this.add(() => Promise.race([close(), sleep(stopDeadlinesMs[step], undefined, { ref: false })]));
  }

  /** Never rejects. Safe to call twice. */
  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) {
      await close().catch((error: Error) => this.#log.error(`closing: ${error.message}`));
    }
  }
}
