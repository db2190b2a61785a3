import { type ConnectionOptions, credsAuthenticator } from '@nats-io/transport-node';

/** The address and credentials of the bus. Plain data, because child processes receive it as a message. */
export interface BusAddress {
  readonly servers: readonly string[];
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** The subjects of answers begin with it, if not with `_INBOX`. */
  readonly inboxPrefix?: string;
  /** The text of a NATS credentials file. */
  readonly credentials?: string;
  /** TLS on both sides, before anything else is said: PEM texts. The servers are tried in their order. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** @param name appears in the server's list of connections. */
export function connectionOptions(address: BusAddress, name: string): ConnectionOptions {
  const options: ConnectionOptions = {
    servers: [...address.servers],
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 50,
    pingInterval: 10_000,
    // A server that is restarting may refuse the login for a moment, which must not end the connection.
    ignoreAuthErrorAbort: true,
    // Otherwise every request creates an error in advance, only to record its stack.
    noAsyncTraces: true,
  };
  if (address.token !== undefined) options.token = address.token;
  if (address.inboxPrefix !== undefined) options.inboxPrefix = address.inboxPrefix;
  if (address.username !== undefined) options.user = address.username;
  if (address.password !== undefined) options.pass = address.password;
  if (address.tls) {
    options.tls = { ...address.tls, handshakeFirst: true };
    options.noRandomize = true;
    // A server whose cable was pulled is left within seconds.
    options.pingInterval = 1000;
  }
  if (address.credentials !== undefined) {
    options.authenticator = credsAuthenticator(new TextEncoder().encode(address.credentials));
  }
  return options;
}
