import { underBase } from './under-base.ts';

/** The address of a WebSocket of the recorder. */
export function socketAddress(path: string): URL {
  const address = new URL(underBase(path), location.href);
  address.protocol = location.protocol.replace('http', 'ws');
  return address;
}

/** Of the streams that `live/open-streams.ts` opens. */
export interface OpenedAhead {
  readonly socket: WebSocket;
  readonly early: MessageEvent[];
}

declare global {
  interface Window {
    /** By their addresses. */
    streamsAhead?: Map<string, OpenedAhead>;
  }
}

/** A WebSocket for binary messages as `ArrayBuffer`; messages that came before are brought after this turn. */
export function openSocket(path: string): WebSocket {
  const address = socketAddress(path);
  const opened = window.streamsAhead?.get(address.href);
  window.streamsAhead?.delete(address.href);
  if (opened && opened.socket.readyState <= WebSocket.OPEN) {
    queueMicrotask(() => {
      for (const message of opened.early) opened.socket.onmessage?.(message);
    });
    return opened.socket;
  }
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  return socket;
}
