import type { LogEntry } from '../../../bus/messages.ts';

/** Entries that main hears of in one piece, so that its event loop turns in between. */
const piece = 500;
/** Pieces that main has not dealt with yet. */
const maxInFlight = 3;
/** Past this no more are read from the bus until main has caught up. */
const maxWaiting = 20_000;

/** Hands new entries over to main, as fast as that takes them. */
export class LogDispatch {
  readonly #send: (entries: readonly LogEntry[]) => void;
  #on: boolean;
  #waiting: LogEntry[] = [];
  #underWay = 0;
  #due: NodeJS.Immediate | undefined;
  #room: (() => void)[] = [];

  /** @param on whether somebody follows from the beginning. */
  constructor(on: boolean, send: (entries: readonly LogEntry[]) => void) {
    this.#on = on;
    this.#send = send;
  }

  /** @returns a promise when there is no room for more before it resolves. */
  add(entry: LogEntry): Promise<void> | undefined {
    if (!this.#on) return undefined;
    this.#waiting.push(entry);
    // What arrives together is handed over together.
    this.#due ??= setImmediate(() => this.#pump());
    if (this.#waiting.length < maxWaiting) return undefined;
    return new Promise((resolve) => {
      this.#room.push(resolve);
    });
  }

  /** Main has dealt with a piece. */
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
