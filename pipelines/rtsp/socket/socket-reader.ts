import type { OnReadOpts, Socket } from 'node:net';

/** One read takes no more. */
const maxReadBytes = 128 * 1024;
/** After more than one read has taken, a camera may be waiting for room to send: the next pause is short. */
const maxFullPauseMs = 10;
/** Reads are parts of a block of memory, most of them small ones, and each would cost pages of its own. */
const blockBytes = 4 * maxReadBytes;

/**
 * Reads a socket as it comes, or in rounds: after each, reading pauses, so that one wake-up of this process takes what
 * came in dozens of packets. What comes in a pause waits in the system's buffer, which grows with what a round takes.
 */
export class SocketReader {
  /** For the socket's options, where it replaces its `data` events. */
  readonly onread: OnReadOpts;
  /** Gets what was read. It shares memory with other chunks: to be held briefly. */
  onChunk: (chunk: Buffer) => void = () => {};
  #socket: Socket | undefined;
  #block = Buffer.allocUnsafeSlow(blockBytes);
  #used = 0;
  #pauseMs = 0;
  /** Of the monotonic clock. */
  #restUntilMs = 0;
  #isFull = false;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.onread = { buffer: () => this.#free(), callback: (bytes) => this.#take(bytes) };
  }

  /** To be called once with the socket that has `onread`. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.once('close', () => clearTimeout(this.#timer));
  }

  /** @param ms the pause after each round; 0: none, what comes is read at once, and a rest is over. */
  setPause(ms: number): void {
    this.#pauseMs = ms;
    if (ms > 0) return;
    this.#restUntilMs = 0;
    if (this.#timer) this.#resume();
  }

  /** The pause after the present round is so long, or longer. */
  rest(ms: number): void {
    this.#restUntilMs = performance.now() + ms;
  }

  #free(): Buffer {
    if (this.#block.length - this.#used < maxReadBytes) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#used = 0;
    }
    return this.#block.subarray(this.#used, this.#used + maxReadBytes);
  }

  /** @returns whether to go on reading */
  #take(bytes: number): boolean {
    const chunk = this.#block.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    this.onChunk(chunk);
    const isFull = bytes === maxReadBytes;
    const wantedMs = Math.max(this.#pauseMs, this.#restUntilMs - performance.now());
    if (wantedMs <= 0 || isFull) {
      this.#isFull = isFull;
      return true;
    }
    const pauseMs = this.#isFull ? Math.min(wantedMs, maxFullPauseMs) : wantedMs;
    this.#isFull = false;
    // TLS hands on all that it has decrypted, in parts.
    this.#timer ??= setTimeout(() => this.#resume(), pauseMs);
    return false;
  }

  #resume(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket?.resume();
  }
}
