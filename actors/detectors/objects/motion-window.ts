import { events } from '../../../bus/subjects.ts';
import type { DetectorEnvironment } from '../detector-contract.ts';

/** Motion may be looked for rarely: one event reaches to the next. */
const afterMotionMs = 5000;

/** When objects are looked for: always, or from a motion event of the same monitor until some seconds after the last. */
export class MotionWindow {
  readonly #always: boolean;
  readonly #unsubscribe: () => void;
  #openUntil = 0;

  /** @param onOpen is called when motion begins; never when it is `always`. */
  constructor({ bus, monitorID }: DetectorEnvironment, always: boolean, onOpen: () => void) {
    this.#always = always;
    if (always) this.#unsubscribe = () => {};
    else {
      this.#unsubscribe = bus.subscribe(events, [monitorID, 'motion'], () => {
        const before = this.isOpen;
        this.#openUntil = Date.now() + afterMotionMs;
        if (!before) onOpen();
      });
    }
  }

  get isOpen(): boolean {
    return this.#always || Date.now() < this.#openUntil;
  }

  close(): void {
    this.#unsubscribe();
  }
}
