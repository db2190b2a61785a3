import { isIP, isIPv6 } from 'node:net';

/** A camera's address cannot be used. The message is a sentence for people and repeats no credentials. */
export class RtspAddressError extends Error {
  override readonly name = 'RtspAddressError';
  readonly code = 'rtsp_address_invalid';
}

/** Where a stream is, and the credentials exactly as they are to be sent. */
export interface RtspAddress {
  /** RTSP over TLS. */
  readonly secure: boolean;
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** For the request line: without credentials, otherwise as it was typed. Its path and query may hold secrets. */
  readonly url: string;
  /** Empty where none was given. */
  readonly user: string;
  readonly password: string;
}

const maxAddressLength = 4096;
const defaultPort = 554;
const defaultSecurePort = 322;
const authorityEnd = /[/?#]/;
/** Line and paragraph separators end a line as a control character does, and a `.` of a pattern does not match them. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * Reads an RTSP address as it was typed. Node's URL parser is of no use here: it rewrites passwords and drops an
 * empty query.
 *
 * @throws {RtspAddressError}
 */
export function parseRtspAddress(text: string): RtspAddress {
  refuseUnlessPrintable(text);
  const [, scheme, body = ''] = /^(rtsps?):\/\/(.*)$/i.exec(text) ?? [];
  if (!scheme) throw new RtspAddressError('the address must begin with rtsp:// or rtsps://');
  const { userInfo, host, port, authority, rest } = onlyReading(body);
  // A request line has no spaces, so such a path would be sent as another one than was typed.
  if (rest.includes(' '))
    throw new RtspAddressError('the path of the address holds a space; write it as %20');
  const secure = scheme.toLowerCase() === 'rtsps';
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/.exec(userInfo) ?? [];
  return {
    secure,
    host,
    port: port ?? (secure ? defaultSecurePort : defaultPort),
    url: `${scheme.toLowerCase()}://${authority}${sendable(rest)}`,
    user: decoded(user, 'user name'),
    password: decoded(password, 'password'),
  };
}

function refuseUnlessPrintable(text: string): void {
  if (text.length > maxAddressLength) {
    throw new RtspAddressError(`the address is longer than ${maxAddressLength} characters`);
  }
  if (/^\s/.test(text)) throw new RtspAddressError('the address begins with a space');
  if (/\s$/.test(text)) throw new RtspAddressError('the address ends with a space');
  if (control.test(text)) throw new RtspAddressError('the address holds a control character');
  if (/\p{Cs}/u.test(text)) throw new RtspAddressError('the address is not valid Unicode');
}

/** One way to read what is after `rtsp://`. */
interface Reading {
  readonly userInfo: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly authority: string;
  /** Path and query. */
  readonly rest: string;
}

/** Credentials may hold `@`, `/`, `?`, `#` and `:` as they are while that leaves one way to read the address. */
function onlyReading(body: string): Reading {
  const ats = [...body.matchAll(/@/g)].map(({ index }) => index);
  const readings = [-1, ...ats].map((at) => readingAt(body, at)).filter((reading) => reading !== undefined);
  const [first, second] = readings;
  if (!first) throw new RtspAddressError('the host in the address is not a name or an IP address');
  // No user name or password ends in an IP address: there the host has been found, and what follows is a path.
  if (second && isIP(first.host) === 0) {
    throw new RtspAddressError(
      'the address can be read in two ways: write @ as %40 wherever it does not end the password, and in the user name and password also / as %2F, ? as %3F, # as %23, : as %3A',
    );
  }
  return first;
}

/** @param at the place of the `@` that ends the credentials, or -1 for none. */
function readingAt(body: string, at: number): Reading | undefined {
  const userInfo = body.slice(0, Math.max(at, 0));
  // Without a password, what holds a `/` is no user name but the way to a path with an `@` in it.
  if (authorityEnd.test(userInfo) && !userInfo.includes(':')) return undefined;
  const target = body.slice(at + 1);
  const end = target.search(authorityEnd);
  const authority = end < 0 ? target : target.slice(0, end);
  const [, ipv6, name = '', digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  if (ipv6 === undefined ? !hostName.test(name) : !isIPv6(ipv6)) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port === 0 || (port ?? 1) > 65_535) return undefined;
  // A fragment is for the reader of a URL; no server is sent one.
  const rest = end < 0 ? '' : target.slice(end).replace(/#.*$/, '');
  return { userInfo, host: ipv6 ?? name, port, authority, rest };
}

/** `%` and two hexadecimal digits encode a character; a text without any such is meant as it is. */
function decoded(text: string, what: string): string {
  const codes = text.match(/%[0-9A-Fa-f]{2}/g)?.length ?? 0;
  const percents = text.split('%').length - 1;
  if (codes === 0) return text;
  if (codes < percents) {
    throw new RtspAddressError(
      `the ${what} can be read in two ways: some of its % encode a character and some do not; write a % that encodes nothing as %25`,
    );
  }
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw new RtspAddressError(
      `what is encoded in the ${what} is not valid UTF-8; write a % that encodes nothing as %25`,
    );
  }
  if (control.test(plain)) throw new RtspAddressError(`the ${what} holds a control character`);
  return plain;
}

/** A request line is ASCII; all else goes as it was typed. */
function sendable(rest: string): string {
  return rest.replace(/[^\x21-\x7e]+/g, (part) => encodeURIComponent(part));
}
