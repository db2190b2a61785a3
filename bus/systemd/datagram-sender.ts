import { createRequire } from 'node:module';
import type { UnixDatagramSocket } from 'unix-dgram';

const require = createRequire(import.meta.url);

/** Sends datagrams to the socket of a service of this machine. Connects again after a failure, as that service may restart. */
export class DatagramSender {
  readonly #path: string;
  #socket: UnixDatagramSocket | undefined;

  /** @param path of the socket; `@` at its start stands for an abstract one. */
  constructor(path: string) {
    this.#path = path.replace(/^@/, '\0');
  }

  /** @returns whether it was taken: not while nobody listens, or the receiver's queue is full. Never blocks. */
  send(message: Buffer): boolean {
    const socket = this.#connected();
    if (!socket) return false;
    let failure: Error | undefined;
    socket.send(message, (error) => {
      failure = error;
    });
    // A full queue empties by itself; anything else needs a new connection.
    if (failure && failure.message !== 'congestion') this.close();
    return failure === undefined;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #connected(): UnixDatagramSocket | undefined {
    if (this.#socket) return this.#socket;
    // Loaded here, because few processes run under systemd.
    const { createSocket } = require('unix-dgram') as typeof import('unix-dgram');
    const socket = createSocket('unix_dgram');
    let isConnected = false;
    socket.on('error', () => {});
    socket.on('connect', () => {
      isConnected = true;
    });
    socket.connect(this.#path);
    if (isConnected) this.#socket = socket;
    else socket.close();
    return this.#socket;
  }
}
