import { isIPv6 } from 'node:net';
import { WebSocket } from 'ws';
import type { Monitors } from '../../store/monitors/monitors.ts';
import type { Caller } from '../request/caller.ts';
import { closeCodes, type WebSocketConnection } from '../request/websocket-connection.ts';
import type { Site } from '../state/site.ts';
import type { PeerRequests } from './peer-requests.ts';
import { callerHeader, writeCaller } from './relayed-caller.ts';

/** A WebSocket about a monitor that the gate has admitted. */
export interface RelayedSocket {
  readonly monitorID: string;
  readonly url: string;
  readonly caller: Caller;
  readonly connectHere: () => void;
}

export interface RelayedSocketsOptions {
  readonly site: Site;
  readonly monitors: Pick<Monitors, 'get'>;
  readonly peers: Pick<PeerRequests, 'warn' | 'answered'>;
}

const handshakeMs = 5000;
/** More than two pings of the other machine. */
const silenceMs = 75_000;
/** A client with more unsent bytes makes its machine stop reading: the other one then notices that it is late. */
const maxUnsentBytes = 262_144;
/** A group of pictures comes as one message. */
const maxMessageBytes = 64 * 1024 * 1024;

/** WebSockets that the machine serves which records their monitor. */
export class RelayedSockets {
  readonly #options: RelayedSocketsOptions;
  /** With the machine that serves each; undefined is this one. */
  readonly #open = new Map<WebSocketConnection, { monitorID: string; machine: string | undefined }>();
  readonly #forget: () => void;

  constructor(options: RelayedSocketsOptions) {
    this.#options = options;
    this.#forget = options.site.onDistantChange((monitorID) => this.#sendElsewhere(monitorID));
  }

  /** Serves it, or lets `connectHere` do it; closes it once another machine has to serve it. */
  connect(connection: WebSocketConnection, socket: RelayedSocket): void {
    const { monitorID, connectHere } = socket;
    const machine = this.#options.site.distant(monitorID)?.machine;
    this.#open.set(connection, { monitorID, machine });
    connection.onClose(() => this.#open.delete(connection));
    // While no machine records the monitor, this one says so.
    if (machine === undefined) connectHere();
    else this.#passOn(connection, machine, socket);
  }

  close(): void {
    this.#forget();
  }

  #passOn(connection: WebSocketConnection, machine: string, { url, caller, monitorID }: RelayedSocket): void {
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
          headers: { [callerHeader]: writeCaller(caller, monitorID) },
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
    source.on('open', () => this.#options.peers.answered(machine));
    source.on('message', (data: Buffer, isBinary) => {
      silence.refresh();
      if (isBinary) connection.sendBytes(data, goOn);
      else connection.send(data, goOn);
      if (connection.bufferedBytes > maxUnsentBytes) source.pause();
    });
    // Followed by `close`.
    source.on('error', (error) => {
      if (connection.open) this.#options.peers.warn(machine, error);
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
}
