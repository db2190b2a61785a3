import type { WebSocketConnection } from '../request/websocket-connection.ts';

/** What is handed to the socket before waiting for the client to take it. */
const socketShare = 262_144;
/** What may wait here while more comes; past it the client is too slow. */
const waitingLimit = 1_000_000;

/** One client of a feed: frames go out in order, as fast as the client takes them. */
export class FeedSubscriber {
  readonly #connection: WebSocketConnection;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #paused = false;
  #idle: (() => void)[] = [];

  constructor(connection: WebSocketConnection) {
    this.#connection = connection;
    connection.onClose(() => this.#clear());
  }

  /** Adds frames; they leave with the next {@link flush}. A client that is still behind the last ones is closed. */
  take(frames: readonly Buffer[]): void {
    if (!this.#connection.open) return;
    if (this.#bytes > waitingLimit) {
      this.#connection.closeTooSlow();
      this.#clear();
      return;
    }
    for (const frame of frames) {
      this.#waiting.push(frame);
      this.#bytes += frame.length;
    }
  }

  /** Resolves when all frames taken so far have left, or never will. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0 && !this.#paused) resolve();
      else this.#idle.push(resolve);
    });
  }

  flush(): void {
    if (this.#paused || this.#waiting.length === 0) return;
    let count = 0;
    let share = 0;
    while (count < this.#waiting.length && share < socketShare) {
      share += this.#waiting[count]?.length ?? 0;
      count += 1;
    }
    const leaving = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#bytes -= share;
    this.#paused = true;
    this.#connection.batch(() => {
      const last = leaving.pop();
      for (const frame of leaving) this.#connection.send(frame);
      if (last) this.#connection.send(last, () => this.#sent());
    });
  }

  #sent(): void {
    this.#paused = false;
    if (!this.#connection.open) this.#clear();
    if (this.#waiting.length > 0) this.flush();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
