import { createServer, type RequestListener, type Server, type ServerOptions, STATUS_CODES } from 'node:http';
import {
  createServer as createSecureServer,
  type Server as SecureServer,
  type ServerOptions as SecureServerOptions,
} from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ErrorCode, HttpError, problemType } from '../request/http-error.ts';
import { limitConnections } from './connection-limit.ts';

const connectionLimit = 1000;
/** Requests of one connection that are not answered yet. Browsers wait for each answer, and a flood must not pile up here. */
const maxUnanswered = 8;
/**
 * Milliseconds in which a client takes nothing of an answer that is there, after which its connection ends: it holds files and
 * places. Players that pause go on with another request.
 */
const usualSilenceMs = 120_000;

const options: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  // Milliseconds that a client has for its headers, for its whole request, and between two requests.
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 20_000,
  connectionsCheckingInterval: 2000,
};

/**
 * Makes a server with limits and timeouts against slow or broken clients.
 *
 * @param tls `true` for a server that gets its certificate later
 * @param headers added to the error responses made here.
 * @param silenceMs see `usualSilenceMs`; WebSockets have pings instead.
 */
export function createListener(
  tls: boolean | SecureServerOptions,
  headers: Readonly<Record<string, string>>,
  silenceMs = usualSilenceMs,
): Server | SecureServer {
  const server = tls
    ? createSecureServer({ ...options, handshakeTimeout: 10_000, ...(tls === true ? {} : tls) })
    : createServer(options);
  server.timeout = silenceMs;
  limitConnections(server, connectionLimit);
  /** How many answers are due. */
  const due = new WeakMap<Duplex, number>();
  const isAnswering = (socket: Duplex) => (due.get(socket) ?? 0) > 0;
  server.on('request', ({ socket }, response) => {
    due.set(socket, (due.get(socket) ?? 0) + 1);
    response.on('close', () => due.set(socket, (due.get(socket) ?? 1) - 1));
  });
  server.on('timeout', (socket: Socket) => {
    // What we have not made yet is no silence of the client.
    if (!isAnswering(socket) || socket.writableLength > 0) socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // An error cannot be sent into a half-written response or a closed socket.
    const mute = error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket);
    if (mute) socket.destroy();
    else answerRaw(socket, clientFailure(error.code), headers);
  });
  return server;
}

/** Has the requests of a connection answered one after the other, and ends one that sends many more of them than it gets answers. */
export function answerRequests(server: Server, answer: RequestListener): Server {
  const queues = new WeakMap<Duplex, (() => void)[]>();
  return server.on('request', (request, response) => {
    const { socket } = request;
    const queue = queues.get(socket) ?? [];
    queues.set(socket, queue);
    // What came in the same piece as the one too many is still parsed.
    if (queue.length >= maxUnanswered) {
      socket.destroy();
      return;
    }
    queue.push(() => answer(request, response));
    // Node.js 20 does not tell those behind the first that the connection is gone: they begin when it is their turn.
    response.on('close', () => {
      queue.shift();
      if (!socket.destroyed) queue[0]?.();
    });
    if (queue.length === 1) queue[0]?.();
  });
}

function clientFailure(code: string | undefined): HttpError {
  const known: Record<string, [ErrorCode, string]> = {
    ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request took too long to arrive.'],
    HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are over 16 kB.'],
  };
  return new HttpError(...((code && known[code]) || ['malformed_request', 'This is not HTTP.']));
}

/** Sends an error response on a connection that the HTTP parser has abandoned or handed over, and closes it. */
export function answerRaw(
  socket: Duplex,
  failure: HttpError,
  headers: Readonly<Record<string, string>>,
): void {
  const body = JSON.stringify(failure.toJSON());
  const all = {
    ...headers,
    ...failure.headers,
    'Content-Type': problemType,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\n`;
  socket.end(`${status}${lines.join('')}\r\n${body}`, () => socket.destroy());
}
