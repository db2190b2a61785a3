import type { closeCodes, WebSocketConnection } from '../request/websocket-connection.ts';
import { liveMessage } from './live-messages.ts';

/** A viewer with more unsent bytes is late. */
const maxLateBytes = 262_144;
/** One that has been late for so long gets no more until it has caught up, and then the next key frame. */
const skipAfterMs = 1500;
/** One that does not catch up is closed. */
const closeAfterMs = 10_000;
/** A group of pictures at the beginning is large, and is sent whole. */
const maxUnsentBytes = 64 * 1024 * 1024;

const gap = liveMessage({ type: 'gap' });

/** One client of a live view. What it does not read in time is left out up to a key frame; nobody else waits for it. */
export class LiveViewer {
  /** Whether it wants sound, too. */
  readonly listens: boolean;
  readonly #connection: WebSocketConnection;
  /** Of the monotonic clock: when it was last known not to be late. */
  #inTimeMs = performance.now();
  #isSkipping = false;

  constructor(connection: WebSocketConnection, listens: boolean) {
    this.listens = listens;
    this.#connection = connection;
    connection.setBufferLimit(maxUnsentBytes);
  }

  send(text: Buffer): void {
    this.#connection.send(text);
  }

  /** @param data an init segment and a group of pictures */
  start(text: Buffer, data: Buffer): void {
    this.#isSkipping = false;
    this.#inTimeMs = performance.now();
    this.#connection.batch(() => {
      this.#connection.send(text);
      this.#connection.sendBytes(data);
    });
  }

  /** @param fragment of one picture, or of sound. @param isAfterGap pictures before it were lost */
  push(fragment: Buffer, keyFrame: boolean, isAfterGap: boolean): void {
    const lateMs = this.#lateMs();
    if (lateMs > closeAfterMs) {
      this.#connection.closeTooSlow();
      return;
    }
    if (lateMs > skipAfterMs) this.#isSkipping = true;
    if (this.#isSkipping && (!keyFrame || lateMs > 0)) return;
    if (this.#isSkipping || isAfterGap) this.#connection.send(gap);
    this.#connection.sendBytes(fragment);
    this.#isSkipping = false;
  }

  close(code: (typeof closeCodes)[keyof typeof closeCodes], reason: string): void {
    this.#connection.close(code, reason);
  }

  /** 0 when it is not late. */
  #lateMs(): number {
    const nowMs = performance.now();
    if (this.#connection.bufferedBytes <= maxLateBytes) this.#inTimeMs = nowMs;
    return nowMs - this.#inTimeMs;
  }
}
