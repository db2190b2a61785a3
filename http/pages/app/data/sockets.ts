import { underBase } from './under-base.ts';

/** The address of a WebSocket of the recorder. */
export function socketAddress(path: string): URL {
  const address = new URL(underBase(path), location.href);
  address.protocol = location.protocol.replace('http', 'ws');
  return address;
}

/** An unused socket is closed after this time. */
const aheadMs = 3000;

interface OpenedAhead {
  readonly socket: WebSocket;
  readonly early: MessageEvent[];
}

const ahead = new Map<string, OpenedAhead>();

/** Opens a WebSocket before the page is rendered, for the `openSocket` that follows. */
export function openAhead(path: string): void {
  const opened: OpenedAhead = { socket: openSocket(path), early: [] };
  opened.socket.onmessage = (message) => opened.early.push(message);
  ahead.set(path, opened);
  setTimeout(() => {
    if (ahead.delete(path)) closeSocket(opened.socket);
  }, aheadMs);
}

/** A WebSocket for binary messages as `ArrayBuffer`; messages that came before are brought after this turn. */
export function openSocket(path: string): WebSocket {
  const opened = ahead.get(path);
  ahead.delete(path);
  if (opened && opened.socket.readyState <= WebSocket.OPEN) {
    queueMicrotask(() => {
      for (const message of opened.early) opened.socket.onmessage?.(message);
    });
    return opened.socket;
  }
  const socket = new WebSocket(socketAddress(path));
  socket.binaryType = 'arraybuffer';
  return socket;
}

/** Closes a WebSocket, and what it still brings is not heard. One that is still opening is closed when it is open. */
export function closeSocket(socket: WebSocket): void {
  socket.onmessage = null;
  socket.onclose = null;
  // Browsers complain on the console about a socket that is closed before.
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
  else socket.close(1000);
}
