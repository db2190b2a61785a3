import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { isIPv6 } from 'node:net';
import { WebSocket } from 'ws';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import type { Method, Route, RouteAnswer, RouteCall } from '../request/route.ts';
import { closeCodes, type WebSocketConnection } from '../request/websocket-connection.ts';
import type { Site } from '../state/site.ts';
import { callerHeader, writeCaller } from './relayed-caller.ts';

/** What a machine asks of another one. */
export interface RelayedRequest extends Pick<RouteCall, 'caller' | 'headers' | 'body' | 'signal'> {
  readonly method: Method;
  /** Path and query, as the client sent them. */
  readonly url: string;
}

type Parts = Pick<RouteCall, 'params' | 'query' | 'body'>;

/** Of the request that matter to the answer. */
const requestHeaders = ['accept', 'range', 'if-range', 'if-none-match', 'if-modified-since'] as const;
/** Of the answer; those that secure a page are added here as to every answer. */
const answerHeaders = [
  ...['content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified', 'cache-control'],
  ...['content-disposition', 'retry-after'],
] as const;
const answerMs = 15_000;
const handshakeMs = 5000;
/** A client with more unsent bytes makes its machine stop reading: the other one then notices that it is late. */
const maxUnsentBytes = 262_144;
/** A group of pictures comes as one message. */
const maxMessageBytes = 64 * 1024 * 1024;

/** Passes on what another machine of the cluster has to answer. */
export class Relay {
  readonly #site: Site;
  readonly #agent: Agent;
  /** WebSockets of rows that are relayed, with the machine that serves each; undefined is this one. */
  readonly #open = new Map<WebSocketConnection, { monitorID: string; machine: string | undefined }>();
  readonly #forget: () => void;

  constructor(site: Site) {
    this.#site = site;
    this.#agent = new Agent({ ...site.keys, keepAlive: true, maxSockets: 100 });
    this.#forget = site.onDistantChange((monitorID) => this.#sendElsewhere(monitorID));
  }

  /** The machine that has to answer; undefined: this one. */
  machineFor({ relay }: Pick<Route, 'relay'>, parts: Parts): string | undefined {
    return relay === 'monitor' ? this.#site.distant(monitorOf(parts))?.machine : undefined;
  }

  /** @throws {HttpError} `unavailable` if the machine does not answer. */
  async ask(
    machine: string,
    { method, url, headers, body, caller, signal }: RelayedRequest,
  ): Promise<RouteAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const asked = request({
      ...{ ...this.#addressOf(machine), agent: this.#agent, method, path: url, signal },
      headers: {
        ...picked(headers, requestHeaders),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        [callerHeader]: writeCaller(caller),
      },
    });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      asked.on('response', resolve);
      asked.on('error', reject);
      asked.setTimeout(answerMs, () => asked.destroy(new Error('no answer in time')));
      asked.end(text);
    }).catch((cause: unknown) => {
      throw awayError(machine, cause);
    });
    // What comes slowly from a disk is waited for; the client ends it when it has waited enough.
    asked.setTimeout(0);
    return {
      status: answer.statusCode ?? 502,
      ...(answer.headers['content-type'] !== undefined && { type: answer.headers['content-type'] }),
      headers: picked(answer.headers, answerHeaders),
      body: answer,
    };
  }

  /** Serves a WebSocket of a row that is relayed, or lets `connectHere` do it; closes it once another machine has to serve it. */
  connect(
    connection: WebSocketConnection,
    { row, url, caller, connectHere }: { row: Route; url: string; caller: Caller; connectHere: () => void },
    parts: Parts,
  ): void {
    const machine = this.machineFor(row, parts);
    if (row.relay) {
      this.#open.set(connection, { monitorID: monitorOf(parts), machine });
      connection.onClose(() => this.#open.delete(connection));
    }
    if (machine === undefined) connectHere();
    else this.#passOn(connection, machine, url, caller);
  }

  close(): void {
    this.#forget();
    this.#agent.destroy();
  }

  #passOn(connection: WebSocketConnection, machine: string, url: string, caller: Caller): void {
    const { host, port } = this.#addressOf(machine);
    const source = new WebSocket(`wss://${isIPv6(host) ? `[${host}]` : host}:${port}${url}`, {
      ...{ ...this.#site.keys, handshakeTimeout: handshakeMs, perMessageDeflate: false },
      ...{ maxPayload: maxMessageBytes, headers: { [callerHeader]: writeCaller(caller) } },
    });
    connection.setBufferLimit(maxMessageBytes);
    const goOn = () => {
      if (source.isPaused && connection.bufferedBytes <= maxUnsentBytes) source.resume();
    };
    source.on('message', (data: Buffer, isBinary) => {
      if (isBinary) connection.sendBytes(data, goOn);
      else connection.send(data, goOn);
      if (connection.bufferedBytes > maxUnsentBytes) source.pause();
    });
    // Followed by `close`.
    source.on('error', () => {});
    source.on('close', (code, reason) => {
      if (code >= closeCodes.loginAgain) connection.close(code, String(reason));
      else connection.close(closeCodes.goingAway, `${machine} no longer serves it`);
    });
    connection.onClose(() => source.terminate());
  }

  #sendElsewhere(monitorID: string): void {
    const machine = this.#site.distant(monitorID)?.machine;
    for (const [connection, served] of this.#open) {
      if (served.monitorID === monitorID && served.machine !== machine)
        connection.close(closeCodes.goingAway, 'another machine serves it now');
    }
  }

  #addressOf(machine: string): { host: string; port: number } {
    return { host: machine, port: this.#site.relayPort };
  }
}

/** The id of the monitor that a request is about; empty if there is none. */
function monitorOf({ params, query, body }: Parts): string {
  const found = [params, query, body].map((part) => (part as { id?: unknown } | undefined)?.id);
  return String(found.find((id) => typeof id === 'string') ?? '');
}

function picked(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

function awayError(machine: string, cause: unknown): HttpError {
  const headers = { 'Retry-After': '5' };
  return new HttpError('unavailable', `${machine}, which would answer, is away.`, { headers, cause });
}
