import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RtspAddress } from '../../../bus/base/rtsp-address.ts';
import { RtspError } from '../protocol/rtsp-error.ts';
import { SocketReader } from './socket-reader.ts';

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections to this port',
  ECONNRESET: 'it broke off the connection',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it does not answer',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
};

export interface ConnectedSocket {
  readonly socket: Socket;
  /** Of what comes, in place of the socket's `data` events. */
  readonly reader: SocketReader;
}

/**
 * @returns a connected socket, after the TLS handshake where there is one.
 * @throws {RtspError} `unreachable`; the signal's reason when it aborts.
 */
export function connectSocket(
  address: RtspAddress,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ConnectedSocket> {
  signal.throwIfAborted();
  const { secure, host, port } = address;
  const reader = new SocketReader();
  const { onread } = reader;
  return new Promise((resolve, reject) => {
    const socket = secure
      ? // Cameras sign their own certificates: TLS keeps the stream private, it cannot say who sends it.
        connectTls({
          ...{ host, port, onread, rejectUnauthorized: false },
          ...(isIP(host) === 0 && { servername: host }),
        })
      : connectTcp({ host, port, onread });
    const settle = (fail?: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', onError);
      if (fail === undefined) {
        socket.setNoDelay(true);
        reader.attach(socket);
        resolve({ socket, reader });
        return;
      }
      // Later errors of this socket do not matter.
      socket.on('error', () => {});
      socket.destroy();
      reject(fail);
    };
    const abort = () => settle(signal.reason);
    const onError = (error: NodeJS.ErrnoException) =>
      settle(unreachable(causes[error.code ?? ''] ?? codeOf(error)));
    const timer = setTimeout(
      () => settle(unreachable(`no connection within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    signal.addEventListener('abort', abort);
    socket.on('error', onError);
    socket.once(secure ? 'secureConnect' : 'connect', () => settle());
  });
}

/** @returns the name of a socket's error, or words for one without a name. */
export function codeOf({ code = '' }: NodeJS.ErrnoException): string {
  return /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'for no known reason';
}

function unreachable(cause: string): RtspError {
  return new RtspError('unreachable', `the camera cannot be reached: ${cause}`);
}
