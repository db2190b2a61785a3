import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Caller } from './caller.ts';

/** Close codes that the server sends. [RFC 6455 section 7.4.2: 4000 to 4999 are private] */
export const closeCodes = {
  /** The server is stopping. [RFC 6455 section 7.4.1] */
  goingAway: 1001,
  /** The client sent a message. [RFC 6455 section 7.4.1] */
  policyViolation: 1008,
  /** The account was deleted or changed, or the session has ended. */
  loginAgain: 4401,
  /** The account is no longer an admin. */
  adminRequired: 4403,
  /** What was asked for was deleted. */
  deleted: 4404,
  /** The client reads its frames too slowly. */
  tooSlow: 4408,
  /** There are too many clients of this kind. */
  tooMany: 4429,
} as const;

/** Unsent bytes in memory per client; beyond it the client is closed as too slow. */
const defaultBufferLimit = 1_000_000;
/** A client that has not answered the close frame after this time is terminated. */
const closeDeadlineMs = 5000;

/**
 * The WebSocket of a caller that the gate admitted. The caller is checked again before every frame, and the memory
 * per client is bounded.
 */
export class WebSocketConnection {
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #caller: Caller;
  #alive = true;
  #bufferLimit = defaultBufferLimit;

  /** @param raw the TCP or TLS stream below the WebSocket. */
  constructor(socket: WebSocket, raw: Duplex, caller: Caller) {
    this.#socket = socket;
    this.#raw = raw;
    this.#caller = caller;
    socket.on('error', () => socket.terminate());
    socket.on('message', () => this.close(closeCodes.policyViolation, 'clients must not send messages'));
    socket.on('pong', () => {
      this.#alive = true;
    });
    socket.on('ping', (data) => {
      if (this.#fits() && this.open) socket.pong(data);
    });
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Bytes that were sent and have not left the process. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** For one who sends large frames and bounds them itself. @param bytes unsent, beyond which the client is closed */
  setBufferLimit(bytes: number): void {
    this.#bufferLimit = bytes;
  }

  onClose(listener: () => void): void {
    this.#socket.on('close', listener);
  }

  /** Closes the connection if its caller is no longer admitted. @returns whether the caller is admitted. */
  check(): boolean {
    if (!this.open) return false;
    const standing = this.#caller.standing();
    if (standing === 'admitted') return true;
    if (standing === 'demoted') this.close(closeCodes.adminRequired, 'no longer an admin');
    else this.close(closeCodes.loginAgain, 'log in again');
    return false;
  }

  /**
   * Sends one text frame. Closes the connection instead if the caller is no longer admitted or reads too slowly.
   *
   * @param text UTF-8; may be shared between connections.
   * @param sent called when the frame has left the process or was dropped.
   */
  send(text: Buffer, sent?: () => void): void {
    if (this.check() && this.#fits()) {
      this.#socket.send(text, { binary: false, compress: false }, sent);
    } else {
      sent?.();
    }
  }

  /** Sends one binary frame under the same conditions. @param data may be shared between connections. */
  sendBytes(data: Buffer, sent?: () => void): void {
    if (this.check() && this.#fits()) this.#socket.send(data, { binary: true, compress: false }, sent);
    else sent?.();
  }

  /** Frames sent within `write` leave in as few packets as possible. */
  batch(write: () => void): void {
    this.#raw.cork();
    try {
      write();
    } finally {
      this.#raw.uncork();
    }
  }

  close(code: number, reason: string): void {
    if (!this.open) return;
    this.#socket.close(code, reason);
    const deadline = setTimeout(() => this.#socket.terminate(), closeDeadlineMs).unref();
    this.#socket.once('close', () => clearTimeout(deadline));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Sends a ping; terminates the connection if the previous ping was not answered. */
  ping(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    if (this.check() && this.#fits()) this.#socket.ping();
  }

  closeTooSlow(): void {
    this.close(closeCodes.tooSlow, 'frames are read too slowly');
  }

  #fits(): boolean {
    if (this.#socket.bufferedAmount <= this.#bufferLimit) return true;
    this.closeTooSlow();
    return false;
  }
}
