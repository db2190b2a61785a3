import { WebSocket } from 'ws';
import { atEnd } from './cleanup.ts';
import { waitFor } from './wait.ts';

/** A WebSocket client that keeps all it receives. It is closed when the test is over. */
export interface Feed {
  readonly socket: WebSocket;
  /** Text frames as they came, oldest first. */
  readonly frames: readonly string[];
  /** Text and binary frames as they came, oldest first. */
  readonly messages: readonly (string | Buffer)[];
  /** Waits for a frame, old or new, whose JSON this is true of. */
  frame<T>(wanted: (value: T) => boolean, timeout?: number): Promise<T>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
}

/** The server answered the handshake with an ordinary HTTP status. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  readonly status: number;

  constructor(status: number) {
    super(`the handshake was answered with ${status}`);
    this.status = status;
  }
}

/** @throws {HandshakeError} */
export async function openFeed(url: string, headers: Readonly<Record<string, string>>): Promise<Feed> {
  const socket = new WebSocket(url, { headers, rejectUnauthorized: false });
  atEnd(async () => socket.terminate());
  const frames: string[] = [];
  const messages: (string | Buffer)[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    messages.push(isBinary ? data : String(data));
    if (!isBinary) frames.push(String(data));
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy();
      reject(new HandshakeError(statusCode));
    });
    socket.on('error', reject);
  });
  return {
    socket,
    frames,
    messages,
    closed,
    frame: <T>(wanted: (value: T) => boolean, timeout = 15_000) =>
      waitFor(
        () => frames.map((text) => JSON.parse(text) as T).find(wanted),
        timeout,
        `a frame of ${url}`,
      ) as Promise<T>,
  };
}
