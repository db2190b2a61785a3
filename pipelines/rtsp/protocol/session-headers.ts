/** The `Session` header of a camera's answer to SETUP. */
export interface SessionHeader {
  readonly id: string;
  /** Without a sign of life for so long the camera ends the session. */
  readonly timeoutMs: number;
}

/** The `Transport` header of a camera's answer to SETUP. */
export interface TransportHeader {
  /** Undefined where the header does not say. */
  readonly transport: 'tcp' | 'udp' | undefined;
  /** The channels of RTP and of RTCP. */
  readonly channels: readonly [number, number] | undefined;
  /** The camera's ports of RTP and of RTCP. */
  readonly serverPorts: readonly [number, number] | undefined;
}

/** RFC 2326, 12.37. */
export const defaultTimeoutMs = 60_000;

/** @returns undefined where there is no session in it that could be named in a request. */
export function parseSessionHeader(value: string | undefined): SessionHeader | undefined {
  const [, id, parameters = ''] = /^([\x21-\x3a\x3c-\x7e]{1,256})\s*(.*)$/.exec(value ?? '') ?? [];
  if (id === undefined) return undefined;
  const seconds = Number(/;\s*timeout\s*=\s*"?(\d{1,6})/i.exec(parameters)?.[1] ?? 0);
  return { id, timeoutMs: seconds * 1000 || defaultTimeoutMs };
}

export function parseTransportHeader(value: string | undefined): TransportHeader {
  const text = value ?? '';
  const channels = pair(text, 'interleaved', 255);
  const serverPorts = pair(text, 'server_port', 65_535);
  const isTcp = channels !== undefined || /^\s*RTP\/\w+\/TCP/i.test(text);
  const isUdp = serverPorts !== undefined || /^\s*RTP\/\w+(\/UDP)?\s*(;|$)/i.test(text);
  return { transport: isTcp ? 'tcp' : isUdp ? 'udp' : undefined, channels, serverPorts };
}

/** `name=4-5`, or `name=4`, which means the same. */
function pair(text: string, name: string, max: number): readonly [number, number] | undefined {
  const found = new RegExp(`[;,]\\s*${name}\\s*=\\s*(\\d{1,5})(?:\\s*-\\s*(\\d{1,5}))?`, 'i').exec(text);
  if (!found) return undefined;
  const first = Number(found[1]);
  const second = found[2] === undefined ? first + 1 : Number(found[2]);
  return first <= max && second <= max && first !== second ? [first, second] : undefined;
}
