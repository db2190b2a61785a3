import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Caller } from './caller.ts';

/** Close codes of ours. [RFC 6455 section 7.4.2: 4000 to 4999 are private] */
export const closeCodes = {
  /** The server is stopping. [RFC 6455 section 7.4.1] */
  goingAway: 1001,
  /** The client sent something. [RFC 6455 section 7.4.1] */
  policyViolation: 1008,
  /** The account is gone, or was changed. */
  loginAgain: 4401,
  /** The account is no longer an admin. */
  adminRequired: 4403,
  /** The client takes its frames too slowly. */
  tooSlow: 4408,
} as const;

/** What waits in memory for one client. */
const bufferLimit = 1_000_000;
/** After this time a client that does not answer the close frame is cut off. */
const closeDeadlineMs = 5000;

/**
 * A WebSocket of a caller whom the gate let in. Every frame looks at the caller again, and no client can make
 * the server keep more than a bounded amount for it.
 */
export class WebSocketConnection {
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #caller: Caller;
  #alive = true;

  /** @param raw the stream under the socket. */
  constructor(socket: WebSocket, raw: Duplex, caller: Caller) {
    this.#socket = socket;
    this.#raw = raw;
    this.#caller = caller;
    socket.on('error', () => socket.terminate());
    socket.on('message', () => this.close(closeCodes.policyViolation, 'nothing is expected from clients'));
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

  onClose(listener: () => void): void {
    this.#socket.on('close', listener);
  }

  /** Closes the connection when its caller is no longer admitted. @returns whether it is. */
  check(): boolean {
    if (!this.open) return false;
    const standing = this.#caller.standing();
    if (standing === 'admitted') return true;
    if (standing === 'demoted') this.close(closeCodes.adminRequired, 'no longer an admin');
    else this.close(closeCodes.loginAgain, 'the account has changed');
    return false;
  }

  /**
   * Sends one text frame, unless the caller is no longer admitted or takes too little: then the connection closes.
   *
   * @param text UTF-8; may be shared between connections.
   * @param sent called when it has left the process, or never will.
   */
  send(text: Buffer, sent?: () => void): void {
    if (this.check() && this.#fits()) {
      this.#socket.send(text, { binary: false, compress: false }, sent);
    } else {
      sent?.();
    }
  }

  /** Frames sent within `write` leave together. */
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

  /** Ends a peer that has not answered since the last call; asks it again otherwise. */
  ping(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    if (this.check() && this.#fits()) this.#socket.ping();
  }

  closeTooSlow(): void {
    this.close(closeCodes.tooSlow, 'frames are taken too slowly');
  }

  #fits(): boolean {
    if (this.#socket.bufferedAmount <= bufferLimit) return true;
    this.closeTooSlow();
    return false;
  }
}
