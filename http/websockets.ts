import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import type { Log } from '../bus/log.ts';
import type { Gate } from './gate/gate.ts';
import type { Relay } from './relay/relay.ts';
import { describeCause, toHttpError } from './request/failure.ts';
import { HttpError } from './request/http-error.ts';
import { requestReader } from './request/request-reader.ts';
import { accessOf, pathMatcher, pathParams, type Route } from './request/route.ts';
import { closeCodes, WebSocketConnection } from './request/websocket-connection.ts';
import { ignoreUpgrade, isIgnoredUpgrade } from './transport/ignored-upgrade.ts';
import { answerRaw } from './transport/listener.ts';
import type { TrustedProxies } from './transport/trusted-proxies.ts';

/** Bytes. Clients must not send messages; a small one still gets a proper close code. */
const maxPayload = 1024;
const connectionLimit = 500;

export interface WebSocketOptions {
  readonly table: readonly Route[];
  readonly gate: Pick<Gate, 'admit'>;
  /** Only where several machines are one system. */
  readonly relay?: Relay | undefined;
  readonly proxies: TrustedProxies;
  readonly headers: Readonly<Record<string, string>>;
  readonly server: Server;
  readonly log: Log;
  /** Milliseconds. */
  readonly pingInterval: number;
}

/** Answers WebSocket handshakes from the same table of routes and through the same gate as HTTP requests. */
export class WebSockets {
  readonly #options: WebSocketOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload,
  });
  readonly #match: (path: string) => Route[];
  readonly #readers = new Map<Route, ReturnType<typeof requestReader>>();
  readonly #connections = new Set<WebSocketConnection>();
  readonly #pings: NodeJS.Timeout;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#match = pathMatcher(options.table);
    for (const row of options.table) if (row.connect) this.#readers.set(row, requestReader(row));
    this.#server.on('wsClientError', (error, socket) => {
      this.#refuse(
        socket,
        new HttpError('malformed_request', 'The WebSocket handshake is malformed.', { cause: error }),
      );
    });
    options.server.on('upgrade', (request, socket, head) => {
      if (isIgnoredUpgrade(request)) return ignoreUpgrade(options.server, request, socket, head);
      socket.on('error', () => socket.destroy());
      this.#upgrade(request, socket, head).catch((error: unknown) => this.#refuse(socket, error));
    });
    this.#pings = setInterval(() => {
      for (const connection of this.#connections) connection.ping();
    }, options.pingInterval).unref();
  }

  /** Closes every connection whose caller is no longer admitted. */
  check(): void {
    for (const connection of this.#connections) connection.check();
  }

  /** Closes every connection with code 1001 and terminates those still open after `deadline` milliseconds. */
  async close(deadline: number): Promise<void> {
    clearInterval(this.#pings);
    const closed = [...this.#connections].map(
      (connection) => new Promise<void>((resolve) => connection.onClose(resolve)),
    );
    for (const connection of this.#connections)
      connection.close(closeCodes.goingAway, 'the server is stopping');
    const waiting = new AbortController();
    await Promise.race([
      Promise.all(closed),
      sleep(deadline, undefined, { signal: waiting.signal }).catch(() => {}),
    ]);
    waiting.abort();
    for (const connection of this.#connections) connection.terminate();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const candidates = this.#match(path);
    const row = candidates.find((candidate) => candidate.connect);
    const caller = await this.#options.gate.admit(request, accessOf(row ? [row] : candidates), true);
    const read = row && this.#readers.get(row);
    if (!row?.connect || !read) {
      if (candidates.length === 0) throw new HttpError('not_found', 'There is nothing here.');
      throw new HttpError('malformed_request', 'This path is no WebSocket.');
    }
    const parts = read(pathParams(row, path), search, undefined, caller);
    const call = {
      ...parts,
      caller,
      headers: request.headers,
      address: this.#options.proxies.addressOf(request),
    };
    row.beforeConnect?.(call);
    if (this.#connections.size >= connectionLimit) {
      throw new HttpError('unavailable', 'Too many WebSockets are open.', {
        headers: { 'Retry-After': '10' },
      });
    }
    const { connect } = row;
    const { relay } = this.#options;
    this.#server.handleUpgrade(request, socket, head, (websocket) => {
      const connection = new WebSocketConnection(websocket, socket, caller);
      this.#connections.add(connection);
      connection.onClose(() => this.#connections.delete(connection));
      const connectHere = () => connect(connection, call);
      if (!relay) connectHere();
      else relay.connect(connection, { row, url: request.url ?? '', caller, parts, connectHere });
    });
  }

  #refuse(socket: Duplex, error: unknown): void {
    const failure = toHttpError(error);
    if (failure.status === 500) this.#options.log.error(`WebSocket handshake: ${describeCause(error)}`);
    answerRaw(socket, failure, this.#options.headers);
  }
}
