/** How the broker is reached, and under which name. */
export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  /** `mqtt` if absent; the ones with an `s` use TLS. */
  readonly protocol?: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  /** Of the WebSocket, `/mqtt` if absent. */
  readonly path?: string;
  /** `auto` (if absent) uses 5 where the broker speaks it. */
  readonly version?: 'auto' | '5' | '3.1.1';
  readonly username?: string;
  readonly password?: string;
  /** PEM: the authority that has signed the broker's certificate, if it is none of the system's. */
  readonly ca?: string;
  /** PEM: the certificate and the key that this client shows. */
  readonly cert?: string;
  readonly key?: string;
  /** Unique per installation: of two clients with the same id a broker disconnects the older one. */
  readonly clientId: string;
  /** Seconds without a message after which each side asks whether the other is there; 10 if absent. */
  readonly keepaliveS?: number;
  /** Published (retained) by the broker when this client is gone without having said so. */
  readonly will?: { readonly topic: string; readonly payload: string };
}

export const usesTls = ({ protocol = 'mqtt' }: BrokerOptions): boolean =>
  protocol.endsWith('s') && protocol !== 'ws';

/** `mqtts://broker.lan:8883`, for people; never with a login. */
export function brokerAddress({ protocol = 'mqtt', host, port }: BrokerOptions): string {
  return `${protocol}://${bracketed(host)}:${port}`;
}

/** An IPv6 address as it is written in a URL. */
export const bracketed = (host: string): string => (/^[^[].*:/.test(host) ? `[${host}]` : host);
