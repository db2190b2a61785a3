import type { Log } from '../../bus/log.ts';
import { parseRecordingID, splitSiteID } from '../../bus/recording-id.ts';
import type { LogStore } from '../../store/log/log-store.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import { eventSpan } from '../../store/recordings/snapshots.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import type { Route, RouteAnswer, RouteCall } from '../request/route.ts';
import type { WebSocketConnection } from '../request/websocket-connection.ts';
import type { Site } from '../state/site.ts';
import { PeerRequests, retryAfter } from './peer-requests.ts';
import { RelayedSockets } from './relayed-sockets.ts';
import { SiteFootage } from './site-footage.ts';

/** A WebSocket that the gate has admitted. */
interface AdmittedSocket {
  readonly row: Route;
  readonly url: string;
  readonly caller: Caller;
  readonly parts: Parts;
  readonly connectHere: () => void;
}

export interface RelayOptions {
  readonly site: Site;
  readonly monitors: Pick<Monitors, 'get'>;
  readonly logs: Pick<LogStore, 'siteRecordings' | 'siteTenures' | 'events'>;
  readonly recordings: Pick<RecordingArchive, 'footage' | 'openMedia'>;
  readonly log: Log;
}

type Parts = Pick<RouteCall, 'params' | 'query' | 'body'>;

/** Passes on what another machine of the cluster has to answer. */
export class Relay {
  readonly peers: PeerRequests;
  readonly #options: RelayOptions;
  readonly #sockets: RelayedSockets;
  readonly #footage: SiteFootage;

  constructor(options: RelayOptions) {
    const { site, monitors, log } = options;
    this.#options = options;
    this.peers = new PeerRequests(site, log);
    this.#sockets = new RelayedSockets({ site, monitors, peers: this.peers });
    this.#footage = new SiteFootage({
      ...options,
      peers: this.peers,
      ask: (...asked) => this.#ask(...asked),
    });
  }

  /**
   * Answers a request that the gate has admitted: by the row, or by the machine that has to answer.
   *
   * @param url path and query, as the client sent them.
   * @throws {HttpError} `unavailable` if that machine is not there; the row's own errors.
   */
  async answer(row: Route, call: RouteCall, url: string): Promise<RouteAnswer> {
    const { site } = this.#options;
    switch (row.relay ?? 'none') {
      case 'none':
        return row.handle(call);
      case 'monitor': {
        const distant = site.distant(idOf(call));
        if (!distant) return row.handle(call);
        if (distant.machine !== undefined) return this.#ask(distant.machine, row, call, url);
        throw new HttpError('unavailable', 'No machine records this monitor.', { headers: retryAfter });
      }
      case 'recording': {
        const { machine } = splitSiteID(idOf(call));
        return machine === undefined ? row.handle(call) : this.#ask(machine, row, call, url);
      }
      case 'event':
        return this.#answerEvent(row, call, url);
      case 'clip':
        return this.#footage.clip(row, call, url);
      case 'playlist':
        return this.#footage.playlist(row, call, url);
      case 'camera': {
        const machine = this.#reaching(call);
        return machine === undefined ? row.handle(call) : this.#ask(machine, row, call, url);
      }
    }
  }

  /** Serves a WebSocket of a row that is relayed, or lets `connectHere` do it; closes it once another machine has to serve it. */
  connect(connection: WebSocketConnection, { row, parts, ...socket }: AdmittedSocket): void {
    if (row.relay) this.#sockets.connect(connection, { ...socket, monitorID: idOf(parts) });
    else socket.connectHere();
  }

  close(): void {
    this.#sockets.close();
    this.peers.close();
  }

  /** The first machine that is there of those that reach a camera; undefined: this one does. @throws {HttpError} `unavailable` */
  #reaching(call: RouteCall): string | undefined {
    const { site, monitors } = this.#options;
    const given = (call.body as { machines?: unknown } | undefined)?.machines;
    const named: unknown = given ?? monitors.get(idOf(call))?.machines;
    const machines = Array.isArray(named) ? named.filter((one) => site.machines.includes(one)) : [];
    if (machines.length === 0 || machines.includes(site.machine)) return undefined;
    const found = machines.find((machine) => site.isAlive(machine));
    if (found !== undefined) return found;
    const text = `None of the machines that reach this camera is heard: ${machines.join(', ')}.`;
    throw new HttpError('unavailable', text, { headers: retryAfter });
  }

  async #answerEvent(row: Route, call: RouteCall, url: string): Promise<RouteAnswer> {
    try {
      return await row.handle(call);
    } catch (error) {
      if (!(error instanceof HttpError) || error.code !== 'not_found') throw error;
      const event = await this.#distantEvent(idOf(call), call.caller);
      if (!event) throw error;
      return this.#ask(event.machine, row, call, url, event.monitorID);
    }
  }

  /** An event of another machine's detector that the caller may see. */
  async #distantEvent(id: string, caller: Caller) {
    const span = eventSpan(id);
    if (!span) return undefined;
    const found = await this.#options.logs.events({ id, ...span, limit: 100, oldestFirst: true });
    return found.find(
      ({ machine, monitorID }) => machine !== this.#options.site.machine && caller.maySee(monitorID),
    );
  }

  async #ask(
    machine: string,
    { method }: Route,
    { caller, headers, signal, ...parts }: RouteCall,
    url: string,
    monitorID = monitorOf(parts),
  ): Promise<RouteAnswer> {
    // The name may be the client's: nobody else is connected to.
    if (!this.#options.site.machines.includes(machine))
      throw new HttpError('not_found', `${machine} is none of the machines of this cluster.`);
    const { body } = parts;
    return this.peers.ask(machine, { method, url, caller, headers, signal, monitorID, body });
  }
}

/** The id that a request is about; empty if there is none. */
function idOf({ params, query, body }: Parts): string {
  const found = [params, query, body].map((part) => (part as { id?: unknown } | undefined)?.id);
  return String(found.find((id) => typeof id === 'string') ?? '');
}

/** The monitor of that id. */
function monitorOf(parts: Parts): string {
  const id = idOf(parts);
  return parseRecordingID(splitSiteID(id).id)?.monitorID ?? id;
}
