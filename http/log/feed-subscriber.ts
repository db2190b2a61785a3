import type { WebSocketConnection } from '../request/websocket-connection.ts';

/** Bytes handed to the socket at a time; the next ones follow when the client has read these. */
const socketShare = 262_144;
/** Bytes that may wait here; a client with more is closed as too slow. */
const waitingLimit = 1_000_000;

/** One client of a feed; sends frames in order, as fast as the client reads them. */
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

  /** Adds frames for the next {@link flush}. Closes a client with too many unsent frames. */
  add(frames: readonly Buffer[]): void {
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

  /** Resolves when all frames added so far were sent or dropped. */
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
