/** A stream's address cannot be used. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly code = 'pipeline_source_invalid';
}

export interface StreamAddress {
  /** Without credentials. */
  readonly location: string;
  readonly user: string;
  readonly password: string;
}

const hostName = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const printable = /^[\x21-\x7e]*$/;

/** Takes the credentials out of an RTSP address. @throws {SourceError} whose message does not repeat them. */
export function parseStreamAddress(url: string): StreamAddress {
  if (!URL.canParse(url)) throw new SourceError('the address is not a URL');
  const { protocol, username, password, host, pathname, search } = new URL(url);
  if (protocol !== 'rtsp:' && protocol !== 'rtsps:') {
    throw new SourceError('the address must begin with rtsp:// or rtsps://');
  }
  if (!hostName.test(host)) throw new SourceError('the host in the address is not a name or an address');
  const location = `${protocol}//${host}${pathname}${search}`;
  if (!printable.test(location))
    throw new SourceError('the address holds characters that no address may hold');
  return { location, user: decoded(username), password: decoded(password) };
}

/** A password may hold a `%` that encodes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
