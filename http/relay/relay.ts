import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { isIPv6 } from 'node:net';
import { WebSocket } from 'ws';
import type { Log } from '../../bus/log.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import type { Method, Route, RouteAnswer, RouteCall } from '../request/route.ts';
import { closeCodes, type WebSocketConnection } from '../request/websocket-connection.ts';
import type { Site } from '../state/site.ts';
import { callerHeader, writeCaller } from './relayed-caller.ts';

/** A request that another machine has to answer. */
export interface RelayedRequest extends Pick<RouteCall, 'caller' | 'headers' | 'signal'> {
  readonly method: Method;
  /** Path and query, as the client sent them. */
  readonly url: string;
  readonly parts: Parts;
}

/** A WebSocket that the gate has admitted. */
export interface RelayedSocket {
  readonly row: Route;
  readonly url: string;
  readonly caller: Caller;
  readonly parts: Parts;
  readonly connectHere: () => void;
}

export interface RelayOptions {
  readonly site: Site;
  readonly monitors: Pick<Monitors, 'get'>;
  readonly log: Log;
}

type Parts = Pick<RouteCall, 'params' | 'query' | 'body'>;

/** Of the request that matter to the answer. */
const requestHeaders = ['accept', 'range', 'if-range', 'if-none-match', 'if-modified-since'] as const;
/** Of the answer; those that secure a page are added here as to every answer. */
const answerHeaders = [
  ...['content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified', 'cache-control'],
  ...['content-disposition', 'content-encoding', 'retry-after', 'vary'],
] as const;
const retryAfter = { 'Retry-After': '5' };
const answerMs = 15_000;
const handshakeMs = 5000;
/** More than two pings of the other machine. */
const silenceMs = 75_000;
/** A client with more unsent bytes makes its machine stop reading: the other one then notices that it is late. */
const maxUnsentBytes = 262_144;
/** A group of pictures comes as one message. */
const maxMessageBytes = 64 * 1024 * 1024;

/** Passes on what another machine of the cluster has to answer. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #agent: Agent;
  /** WebSockets of rows that are relayed, with the machine that serves each; undefined is this one. */
  readonly #open = new Map<WebSocketConnection, { monitorID: string; machine: string | undefined }>();
  /** Machines that did not answer the last time, so that each trouble is logged once. */
  readonly #silent = new Set<string>();
  readonly #forget: () => void;

  constructor(options: RelayOptions) {
    const { site } = options;
    this.#options = options;
    this.#agent = new Agent({ ...site.keys, keepAlive: true, maxSockets: 100 });
    this.#forget = site.onDistantChange((monitorID) => this.#sendElsewhere(monitorID));
  }

  /**
   * The machine that has to answer a request; undefined: this one.
   *
   * @throws {HttpError} `unavailable` if no machine records the monitor.
   */
  machineFor({ relay }: Pick<Route, 'relay'>, parts: Parts): string | undefined {
    const distant = relay && this.#options.site.distant(monitorOf(parts));
    if (!distant || distant.machine !== undefined) return distant?.machine;
    throw new HttpError('unavailable', 'No machine records this monitor.', { headers: retryAfter });
  }

  /** @throws {HttpError} `unavailable` if the machine does not answer. */
  async ask(machine: string, request: RelayedRequest): Promise<RouteAnswer> {
    const answer = await this.#send(machine, request)
      // An idle connection may have been closed over there at this moment, or have outlived a restart.
      .catch((error: unknown) => {
        if (error instanceof StaleConnection) return this.#send(machine, request);
        throw error;
      })
      .catch((cause: Error) => {
        if (!request.signal.aborted) this.#warn(machine, cause);
        throw new HttpError('unavailable', `${machine} has to answer, and cannot be reached.`, {
          ...{ headers: retryAfter, cause },
        });
      });
    this.#silent.delete(machine);
    const { statusCode: status = 502, headers } = answer;
    const common = { status, headers: picked(headers, answerHeaders) };
    if (status === 204 || status === 304 || headers['content-length'] === '0') {
      answer.resume();
      return common;
    }
    const type = headers['content-type'];
    return { ...common, ...(type !== undefined && { type }), body: answer };
  }

  /** Serves a WebSocket of a row that is relayed, or lets `connectHere` do it; closes it once another machine has to serve it. */
  connect(connection: WebSocketConnection, socket: RelayedSocket): void {
    const { row, parts, connectHere } = socket;
    if (!row.relay) {
      connectHere();
      return;
    }
    const monitorID = monitorOf(parts);
    const machine = this.#options.site.distant(monitorID)?.machine;
    this.#open.set(connection, { monitorID, machine });
    connection.onClose(() => this.#open.delete(connection));
    // While no machine records the monitor, this one says so.
    if (machine === undefined) connectHere();
    else this.#passOn(connection, machine, socket);
  }

  close(): void {
    this.#forget();
    this.#agent.destroy();
  }

  #send(
    machine: string,
    { method, url, headers, parts, caller, signal }: RelayedRequest,
  ): Promise<IncomingMessage> {
    const text = parts.body === undefined ? undefined : JSON.stringify(parts.body);
    const asked = request({
      ...{ host: machine, port: this.#options.site.relayPort, agent: this.#agent, method, path: url, signal },
      headers: {
        ...picked(headers, requestHeaders),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        [callerHeader]: writeCaller(caller, monitorOf(parts)),
      },
    });
    return new Promise((resolve, reject) => {
      // Of its own, because that of a request begins with its connection.
      const timer = setTimeout(() => asked.destroy(new Error('no answer in time')), answerMs);
      asked.once('close', () => clearTimeout(timer));
      asked.on('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = asked.reusedSocket && error.code === 'ECONNRESET';
        reject(isStale ? new StaleConnection(error.message) : error);
      });
      asked.end(text);
    });
  }

  #passOn(connection: WebSocketConnection, machine: string, { url, caller, parts }: RelayedSocket): void {
    const { keys, relayPort } = this.#options.site;
    const source = new WebSocket(
      `wss://${isIPv6(machine) ? `[${machine}]` : machine}:${relayPort}${url.split('#', 1)[0]}`,
      {
        ...{
          ca: keys.ca,
          cert: keys.cert,
          key: keys.key,
          handshakeTimeout: handshakeMs,
          perMessageDeflate: false,
        },
        ...{
          maxPayload: maxMessageBytes,
          headers: { [callerHeader]: writeCaller(caller, monitorOf(parts)) },
        },
      },
    );
    connection.setBufferLimit(maxMessageBytes);
    const goOn = () => {
      if (source.isPaused && connection.bufferedBytes <= maxUnsentBytes) source.resume();
    };
    // The other machine pings twice a minute; one whose way here is cut off would be waited for without end.
    const silence = setTimeout(() => {
      if (source.isPaused) silence.refresh();
      else source.terminate();
    }, silenceMs).unref();
    source.on('ping', () => silence.refresh());
    source.on('open', () => this.#silent.delete(machine));
    source.on('message', (data: Buffer, isBinary) => {
      silence.refresh();
      if (isBinary) connection.sendBytes(data, goOn);
      else connection.send(data, goOn);
      if (connection.bufferedBytes > maxUnsentBytes) source.pause();
    });
    // Followed by `close`.
    source.on('error', (error) => {
      if (connection.open) this.#warn(machine, error);
    });
    source.on('close', (code, reason) => {
      clearTimeout(silence);
      if (code >= closeCodes.loginAgain) connection.close(code, String(reason));
      else connection.close(closeCodes.goingAway, 'the machine that records it no longer serves it');
    });
    connection.onClose(() => source.terminate());
  }

  #sendElsewhere(monitorID: string): void {
    const { site, monitors } = this.#options;
    const machine = site.distant(monitorID)?.machine;
    const isDeleted = !monitors.get(monitorID);
    for (const [connection, served] of this.#open) {
      if (served.monitorID !== monitorID || served.machine === machine) continue;
      if (isDeleted) connection.close(closeCodes.deleted, 'the monitor was deleted');
      else connection.close(closeCodes.goingAway, 'it comes from another machine now, or from none');
    }
  }

  #warn(machine: string, { message }: Error): void {
    if (this.#silent.has(machine)) return;
    this.#silent.add(machine);
    this.#options.log.warning(`${machine} cannot be asked for its cameras: ${message}`);
  }
}

/** A connection that was kept for the next request was no longer one. */
class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
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
