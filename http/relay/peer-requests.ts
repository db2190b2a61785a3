import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Log } from '../../bus/log.ts';
import { HttpError } from '../request/http-error.ts';
import type { Method, RouteAnswer, RouteCall } from '../request/route.ts';
import type { Site } from '../state/site.ts';
import { callerHeader, type RelayedCaller, writeCaller } from './relayed-caller.ts';

/** What another machine has to answer. */
export interface PeerRequest extends Pick<RouteCall, 'headers' | 'signal'> {
  readonly method: Method;
  /** Path and query. */
  readonly url: string;
  readonly caller: RelayedCaller;
  /** The monitor that it is about; see {@link writeCaller}. */
  readonly monitorID: string;
  /** Is sent as JSON. */
  readonly body?: unknown;
}

/** Of the request that matter to the answer. */
const requestHeaders = ['accept', 'range', 'if-range', 'if-none-match', 'if-modified-since'] as const;
/** Of the answer; those that secure a page are added here as to every answer. */
const answerHeaders = [
  ...['content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified', 'cache-control'],
  ...['content-disposition', 'content-encoding', 'retry-after', 'vary', 'x-catalogue-incomplete'],
] as const;
export const retryAfter = { 'Retry-After': '5' };
/** Until an answer begins, and between two pieces of it. */
const answerMs = 15_000;
/** To each machine: more than the downloads that one allows at once, so that questions do not wait for these. */
const maxSockets = 200;

/** Asks other machines of the cluster, over the port between them. */
export class PeerRequests {
  readonly #site: Site;
  readonly #log: Log;
  readonly #agent: Agent;
  /** Machines that did not answer the last time, so that each trouble is logged once. */
  readonly #silent = new Set<string>();

  constructor(site: Site, log: Log) {
    this.#site = site;
    this.#log = log;
    this.#agent = new Agent({ ...site.keys, keepAlive: true, maxSockets });
  }

  /** @throws {HttpError} `unavailable` if the machine is not heard, or does not answer within 15 s. */
  async ask(machine: string, asked: PeerRequest): Promise<RouteAnswer> {
    if (!this.#site.isAlive(machine)) throw awayError(machine);
    const answer = await this.#send(machine, asked)
      // An idle connection may have been closed over there at this moment, or have outlived a restart.
      .catch((error: unknown) => {
        if (error instanceof StaleConnection) return this.#send(machine, asked);
        throw error;
      })
      .catch((cause: Error) => {
        if (!asked.signal.aborted) this.warn(machine, cause);
        throw unreachable(machine, cause);
      });
    this.answered(machine);
    const { statusCode: status = 502, headers } = answer;
    const common = { status, headers: picked(headers, answerHeaders) };
    if (status === 204 || status === 304 || headers['content-length'] === '0') {
      answer.resume();
      return common;
    }
    const type = headers['content-type'];
    return { ...common, ...(type !== undefined && { type }), body: answer };
  }

  /** Logs that a machine did not answer, unless it did not do so the last time. */
  warn(machine: string, { message }: Error): void {
    if (this.#silent.has(machine)) return;
    this.#silent.add(machine);
    this.#log.warning(`${machine} cannot be asked for its cameras: ${message}`);
  }

  answered(machine: string): void {
    this.#silent.delete(machine);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(machine: string, asked: PeerRequest): Promise<IncomingMessage> {
    const { method, url, headers, caller, monitorID, body, signal } = asked;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = request({
      ...{ host: machine, port: this.#site.relayPort, agent: this.#agent, method, path: url, signal },
      headers: {
        ...picked(headers, requestHeaders),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        [callerHeader]: writeCaller(caller, monitorID),
      },
    });
    return new Promise((resolve, reject) => {
      // Of its own, because that of a request begins with its connection.
      const timer = setTimeout(() => sent.destroy(new Error('no answer in time')), answerMs);
      sent.once('close', () => clearTimeout(timer));
      sent.on('response', (answer) => {
        clearTimeout(timer);
        endIfSilent(answer);
        resolve(answer);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = sent.reusedSocket && error.code === 'ECONNRESET';
        reject(isStale ? new StaleConnection(error.message) : error);
      });
      sent.end(text);
    });
  }
}

/** A request that a machine does not answer to the end. */
export function unreachable(machine: string, cause: unknown): HttpError {
  const text = `${machine} has to answer, and cannot be reached.`;
  return new HttpError('unavailable', text, { headers: retryAfter, cause });
}

/** A request for what a machine has that is not heard. */
export function awayError(machine: string): HttpError {
  const text = `${machine} is away: what it has on its disk can be had when it is back.`;
  return new HttpError('unavailable', text, { headers: retryAfter });
}

/** A machine that is cut off or stands still is not waited for, a client that reads slowly is. */
function endIfSilent(answer: IncomingMessage): void {
  let before = answer.socket.bytesRead;
  const timer = setInterval(() => {
    const { bytesRead } = answer.socket;
    if (bytesRead === before && answer.readableLength === 0)
      answer.destroy(new Error('the other machine has stopped sending'));
    before = bytesRead;
  }, answerMs).unref();
  answer.once('close', () => clearInterval(timer));
}

/** A connection that was kept for the next request was no longer one. */
class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

function picked(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}
