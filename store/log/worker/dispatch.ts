import type { MachineEntry } from '../read/log-filter.ts';

/** Entries per message to the main thread; small, so that its event loop is not stalled. */
const piece = 500;
/** Messages that main may have unprocessed. */
const maxInFlight = 3;
/** Past this many waiting entries, reading from the bus pauses until main has caught up. */
const maxWaiting = 20_000;

/** Sends new entries to main, as fast as main processes them. */
export class LogDispatch {
  readonly #send: (entries: readonly MachineEntry[]) => void;
  #on: boolean;
  #waiting: MachineEntry[] = [];
  #underWay = 0;
  #due: NodeJS.Immediate | undefined;
  #room: (() => void)[] = [];

  /** @param on whether there are followers from the beginning. */
  constructor(on: boolean, send: (entries: readonly MachineEntry[]) => void) {
    this.#on = on;
    this.#send = send;
  }

  /** @returns a promise if the queue is full; the caller waits for it before it adds more. */
  add(entry: MachineEntry): Promise<void> | undefined {
    if (!this.#on) return undefined;
    this.#waiting.push(entry);
    // Entries that arrive together are sent together.
    this.#due ??= setImmediate(() => this.#pump());
    if (this.#waiting.length < maxWaiting) return undefined;
    return new Promise((resolve) => {
      this.#room.push(resolve);
    });
  }

  /** Called when main has processed a message. */
  taken(): void {
    this.#underWay -= 1;
    this.#pump();
  }

  follow(on: boolean): void {
    this.#on = on;
    if (on) return;
    this.#waiting = [];
    this.#release();
  }

  #pump(): void {
    this.#due = undefined;
    while (this.#waiting.length > 0 && this.#underWay < maxInFlight) {
      this.#underWay += 1;
      this.#send(this.#waiting.splice(0, piece));
    }
    if (this.#waiting.length < maxWaiting) this.#release();
  }

  #release(): void {
    for (const resolve of this.#room.splice(0)) resolve();
  }
}
