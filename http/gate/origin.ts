import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/**
 * Whether a browser reports that another site's page caused this request. Other clients send none of these headers;
 * they do not run other sites' pages either.
 *
 * @param secure whether the server itself speaks TLS. If not, a proxy in front may do so, and both schemes are ours.
 */
export function isForeign(headers: IncomingHttpHeaders, secure: boolean): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = headers;
  if (origin === undefined) return false;
  const from = parse(origin);
  if (!from || from.origin !== origin.toLowerCase()) return true;
  if (from.protocol !== 'https:' && (secure || from.protocol !== 'http:')) return true;
  // Through a URL, so that `nvr` and `nvr:443` are the same host.
  return parse(`${from.protocol}//${headers.host ?? ''}`)?.host !== from.host;
}

/** Whether a browser proves that one of our own pages caused this request. Takes the same parameters as {@link isForeign}. */
export function isOurOwn(headers: IncomingHttpHeaders, secure: boolean): boolean {
  const proof = headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin';
  return proof && !isForeign(headers, secure);
}

/** Whether another origin's page loads this into itself: cookies do not tell two ports of one host apart. */
export function isEmbedded({ 'sec-fetch-site': site, 'sec-fetch-mode': mode }: IncomingHttpHeaders): boolean {
  return (site === 'same-site' || site === 'cross-site') && mode !== 'navigate';
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

const localSuffixes = ['.localhost', '.local', '.lan', '.internal', '.home.arpa'];

/**
 * Whether a `Host` header can only name a machine of the local network.
 *
 * Another site can make its own host name resolve to our address (DNS rebinding); the browser then takes its page for
 * one of ours. This is impossible for an IP address, a name without a dot, or a domain that public DNS does not have.
 */
export function isLocalHost(host: string | undefined): boolean {
  const name = parse(`http://${host ?? ''}`)?.hostname ?? '';
  if (name === '') return false;
  if (isIP(name) !== 0 || name.startsWith('[')) return true;
  if (!name.includes('.') || name === hostname().toLowerCase()) return true;
  return localSuffixes.some((suffix) => name.endsWith(suffix));
}
