import type { RtspAddress } from '../../bus/base/rtsp-address.ts';
import type { RtspConnection } from './rtsp-connection.ts';

/**
 * Hands the connection of a session that is over to the next session with the same camera, together with its login:
 * so one login serves streams that are played one after the other.
 */
export class ConnectionReuse {
  #closing = new AbortController();
  /** Whether a connection has been used again. */
  hasServed = false;
  #kept: { readonly connection: RtspConnection; readonly address: RtspAddress } | undefined;

  /** @returns an open connection with the login of this address, if there is one. @param signal ends it */
  take(address: RtspAddress, signal: AbortSignal): RtspConnection | undefined {
    const kept = this.#kept;
    if (!kept || kept.connection.isClosed || !isSameLogin(kept.address, address)) return undefined;
    this.#kept = undefined;
    kept.connection.obey(signal);
    this.hasServed = true;
    return kept.connection;
  }

  /** Takes a connection over, which from then on ends with `close`. */
  keep(connection: RtspConnection, address: RtspAddress): void {
    this.close();
    this.#closing = new AbortController();
    connection.obey(this.#closing.signal);
    this.#kept = { connection, address };
  }

  close(): void {
    this.#closing.abort();
  }
}

function isSameLogin(one: RtspAddress, other: RtspAddress): boolean {
  return (['secure', 'host', 'port', 'user', 'password'] as const).every((part) => one[part] === other[part]);
}
